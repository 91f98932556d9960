"""Kind ``schedules``: a Prefect server and a worker with a run due every few seconds, for as many as a working day of
minutes; what grows?
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import httpx
import psutil

from benchmarks.faults.ledger import Case, Outcome
from benchmarks.faults.undisturbed import ROOT
from benchmarks.faults.world import World

SLACK = 1.5
"""Seconds between two runs, by the seconds that one takes: what is a minute in an operator's life."""
NAME = "small-work/quick"
DEPLOYMENT = (
    "work-pool create eagle --type process",
    "work-pool set-concurrency-limit eagle 1",
    "deploy benchmarks/faults/small_flow.py:small_work --name quick --pool eagle",
)
"""As docs/operating.md has it, with another flow."""
MOST_GROWTH = 1.15
"""What memory may grow by between the second reading and the last."""
QUICK = "2"
"""Seconds between two looks of the worker for due runs, for its usual 10: quick motion holds for them too."""
READINGS = 5
"""How often what is held is read, evenly over the runs. The last is compared with the second: over the first two fifths
a worker took 27 MiB, and over the other three 2 (docs/lab/2026-12-01-faults.md).
"""


@dataclass(frozen=True)
class Reading:
    """What the server and the worker hold: MiB of memory, file handles; and late runs."""

    memory: tuple[float, float]
    handles: tuple[int, int]
    late: int
    finished: int
    failed: int

    def __str__(self) -> str:
        return (
            f"{self.finished} runs, {self.failed} failed, {self.late} late, server {self.memory[0]:.0f} MiB "
            f"{self.handles[0]} handles, worker {self.memory[1]:.0f} MiB {self.handles[1]} handles"
        )


@contextlib.contextmanager
def process(world: World, log: str, surroundings: Mapping[str, str], *command: str) -> Iterator[psutil.Process]:
    """Run a command beside the campaign and end it, with its children, behind the block."""
    with (world.pristine.parent / log).open("wb") as file:
        started = subprocess.Popen(
            command, cwd=world.root, env=dict(surroundings), stdout=file, stderr=file, start_new_session=True
        )
        known = psutil.Process(started.pid)
        try:
            yield known
        finally:
            every = [known, *known.children(recursive=True)]
            for one in every:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.terminate()
            for one in psutil.wait_procs(every, timeout=20)[1]:
                one.kill()
            started.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(address: str) -> None:
    for _ in range(600):
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{address}/health").status_code == 200:
                return
        time.sleep(0.5)
    raise TimeoutError(f"no Prefect server at {address}")


def _count(address: str, **states: object) -> int:
    asked = {"flow_runs": {"state": states}}
    return int(httpx.post(f"{address}/flow_runs/count", json=asked, timeout=60).raise_for_status().json())


def _held(processes: list[psutil.Process]) -> tuple[float, int]:
    """Return the MiB of memory and the file handles of some processes together."""
    return sum(p.memory_info().rss for p in processes) / 2**20, sum(p.num_fds() for p in processes)


def read(address: str, server: psutil.Process, worker: psutil.Process) -> Reading:
    """Measure; the worker without the runs that it starts."""
    of_server, of_worker = _held([server, *server.children(recursive=True)]), _held([worker])
    late = _count(address, name={"any_": ["Late"]})
    finished = _count(address, type={"any_": ["COMPLETED"]})
    failed = _count(address, type={"any_": ["FAILED", "CRASHED"]})
    return Reading((of_server[0], of_worker[0]), (of_server[1], of_worker[1]), late, finished, failed)


def quick_motion(world: World, *, runs: int) -> Outcome:
    """Let ``runs`` scheduled runs pass; compare what is held after two fifths of them with the end.

    Every reading is printed, so that a campaign that is cut off has said something.
    """
    world.reset()
    port = _free_port()
    address = f"http://127.0.0.1:{port}/api"
    surroundings = {**world.surroundings, "PREFECT_API_URL": address, "DO_NOT_TRACK": "1"}
    surroundings["PREFECT_HOME"] = str(world.pristine.parent / "prefect-server")
    surroundings |= {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_WORKER_QUERY_SECONDS": QUICK}
    serve = ("prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui")
    with process(world, "server.log", surroundings, *serve) as server:
        _wait(address)
        for words in DEPLOYMENT:
            _prefect(surroundings, words)
        work = ("prefect", "worker", "start", "--pool", "eagle")
        with process(world, "worker.log", surroundings, *work) as worker:
            every = _interval(address, server, worker, partial(_prefect, surroundings))
            _prefect(surroundings, f"deployment schedule create {NAME} --interval {every}")
            readings = []
            for number in range(1, READINGS + 1):
                readings.append(_after(2 + runs * number // READINGS, address, server, worker))
                print(f"schedules, one each {every} s: {readings[-1]}", flush=True)
    first, last = readings[1], readings[-1]
    grown = [b / a for a, b in zip(first.memory, last.memory, strict=True)]
    more = max(b - a for a, b in zip(first.handles, last.handles, strict=True))
    bad = last.failed or last.late > first.late + 1 or max(grown) > MOST_GROWTH or more > 10
    return Outcome("lost" if bad else "identical", f"one each {every} s; {first}; then {last}")


def _prefect(surroundings: Mapping[str, str], words: str) -> None:
    command = ["prefect", "--no-prompt", *words.split()]
    subprocess.run(command, cwd=ROOT, env=dict(surroundings), check=True, capture_output=True)


def _interval(address: str, server: psutil.Process, worker: psutil.Process, prefect: Callable[[str], None]) -> int:
    """Have two runs done, the second one of a warm machine, and return the seconds between two by that one's."""
    for number in (1, 2):
        prefect(f"deployment run {NAME}")
        begun = time.monotonic()
        _after(number, address, server, worker)
    return max(2, round(SLACK * (time.monotonic() - begun)))


def _after(runs: int, address: str, server: psutil.Process, worker: psutil.Process) -> Reading:
    """Wait until so many runs have ended, and measure."""
    last = time.monotonic() + 300 * runs
    while time.monotonic() < last:
        found = read(address, server, worker)
        if found.finished + found.failed >= runs:
            return found
        time.sleep(2)
    raise TimeoutError(f"not {runs} runs in time: {read(address, server, worker)}")


def cases(seed: int, runs: int) -> Iterator[Case]:
    """Yield one row of schedules: 480 runs, the minutes of 8 hours, for a campaign of 200 kills."""
    number = max(5, 480 * runs // 200)
    yield Case("schedules", "a run each minute", f"{seed}-{number}", partial(quick_motion, runs=number))
