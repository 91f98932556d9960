"""A flow beside a living ``dvc``, for which it waits, and after a killed one, whose leftovers it removes."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.flows import flow

from flows.busy import holder
from flows.dvc import bring_up_to_date
from flows.leftovers import RECORD, RUNS, remove_leftovers
from tests.flows.conftest import write_dvc

STAGE = "echo fetch >> order.txt; while [ ! -e go ]; do sleep .1; done; echo x > out_fetch"
HELD = "import pathlib, time, zc.lockfile; lock = zc.lockfile.LockFile('.dvc/tmp/lock'); pathlib.Path('held').touch()"
UNTIL_GO = "\nwhile not pathlib.Path('go').exists(): time.sleep(.1)"


class Said(logging.Handler):
    """Keeps what a flow says, and lets the other process go on once the flow waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        if "waiting for" in self.lines[-1]:
            Path("go").touch()


@pytest.fixture
def said() -> Iterator[Said]:
    handler = Said()
    logging.getLogger("prefect.task_runs").addHandler(handler)
    yield handler
    logging.getLogger("prefect.task_runs").removeHandler(handler)


@contextlib.contextmanager
def beside(words: list[str], begun: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that works until it is let go, which it is at the end, also of a test that fails."""
    with subprocess.Popen(words) as process:
        while not begun.exists() and process.poll() is None:
            time.sleep(0.05)
        try:
            yield process
        finally:
            Path("go").touch()


@flow(name="beside another")
def beside_another(stage: str = "fetch") -> None:
    bring_up_to_date("catalogue", [stage])


@pytest.mark.usefixtures("prefect_server")
def test_a_flow_waits_for_a_dvc_that_makes_the_same_and_does_not_make_it_again(toy: Path, said: Said) -> None:
    write_dvc(toy, {"fetch": STAGE})
    with beside([sys.executable, "-m", "dvc", "repro", "-q", "fetch"], toy / "order.txt") as other:
        beside_another()
    assert other.returncode == 0
    assert [line for line in said.lines if "waiting for" in line] == [
        f"waiting for process {other.pid} (dvc repro -q fetch), which is at work in this project"
    ]
    assert not [line for line in said.lines if "remove" in line]
    assert (toy / "order.txt").read_text() == "fetch\n"


@pytest.mark.usefixtures("prefect_server")
def test_a_flow_waits_for_a_dvc_that_holds_the_whole_project(toy: Path, said: Said) -> None:
    write_dvc(toy, {"fetch": "echo fetch >> order.txt; echo x > out_fetch"})
    with beside([sys.executable, "-c", HELD + UNTIL_GO, "dvc", "push"], toy / "held") as other:
        beside_another()
    assert f"waiting for process {other.pid} (dvc push), which is at work in this project" in said.lines
    assert not [line for line in said.lines if "acquire lock" in line]
    assert (toy / "order.txt").read_text() == "fetch\n"


def test_a_number_that_passed_to_another_program_holds_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        assert holder(["'out' is busy, it is being blocked by:", f"  (PID {other.pid}): /bin/dvc repro"]) is None
        other.kill()
    assert holder(["ERROR: failed to reproduce 'fetch': exited with 7"]) is None


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("left", ["", '{"write": {"/data/out": {"pid"'])
def test_a_record_that_a_kill_has_cut_off_stops_no_flow(toy: Path, said: Said, left: str) -> None:
    write_dvc(toy, {"fetch": "echo x > out_fetch"})
    (toy / RECORD).parent.mkdir(parents=True, exist_ok=True)
    (toy / RECORD).write_text(left)
    assert subprocess.run([sys.executable, "-m", "dvc", "repro", "-q", "fetch"], check=False).returncode
    beside_another()
    assert (toy / "out_fetch").exists()
    assert [line for line in said.lines if line.startswith(f"removed {RECORD}")]


@pytest.mark.usefixtures("prefect_server")
def test_a_record_of_runs_that_a_kill_kept_from_being_written_stops_no_flow(toy: Path, said: Said) -> None:
    """DVC makes a folder and then the file in it; every later dvc would end over the empty folder."""
    second = [sys.executable, "-m", "dvc", "repro", "models"]  # the first one reads nothing, so it has no record
    subprocess.run(second, check=True)
    (written,) = (toy / RUNS).glob("*/*/*")
    for path in (written, toy / "dvc.lock", toy / "out_models"):
        path.unlink()
    dead = subprocess.run(second, capture_output=True, check=False)
    assert dead.returncode
    assert b"NoneType" in dead.stderr
    beside_another("models")
    assert (toy / "out_models").exists()
    folder = written.relative_to(toy).parent
    assert [line for line in said.lines if line.startswith(f"removed {folder}: ")]
    assert list((toy / folder).iterdir())


def test_what_a_living_dvc_may_be_writing_stays(toy: Path) -> None:
    left = [toy / RECORD, toy / RUNS / "ab/abcd"]
    left[0].parent.mkdir(parents=True, exist_ok=True)
    left[0].touch()
    left[1].mkdir(parents=True)
    with beside([sys.executable, "-c", HELD + UNTIL_GO, "dvc", "push"], toy / "held"):
        assert not remove_leftovers()
        assert all(path.exists() for path in left)
        left[0].write_text("{}")
    assert remove_leftovers() == [RUNS / "ab/abcd"]  # the record is whole: not a leftover
    left[0].write_text("")
    assert remove_leftovers() == [RECORD]
    assert not any(path.exists() for path in left)
