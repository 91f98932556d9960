"""Kind ``clock``: the wall clock jumps while a stage runs, days ahead or back.

A small library before the C library's (clock.c) moves it, for the stage alone; it needs a C compiler and Linux.
"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.faults.kill import START
from benchmarks.faults.ledger import Case, Outcome
from benchmarks.faults.world import World

JUMPS = {"a day ahead": 86_400, "a day back": -86_400, "to 1980": -46 * 365 * 86_400}
STAGES = ("transitions", "register")


def _library(folder: Path) -> Path | str:
    """Compile the moved clock; return where it is, or why it cannot be."""
    made = folder / "clock.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(made), str(Path(__file__).with_name("clock.c")), "-ldl"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "there is no C compiler"
    return made if done.returncode == 0 else done.stderr[-200:]


def jump(world: World, *, seed: int, stage: str, by: str) -> Outcome:
    """Move the clock in the middle of a stage, then run it to its end."""
    work = world.pristine.parent
    library = _library(work)
    if isinstance(library, str):
        return Outcome("skipped", library)
    world.reset()
    world.unmake(stage)
    world.forget_texts()
    clock = work / "clock.txt"
    clock.unlink(missing_ok=True)
    # the fork server has the true clock: the stage starts by itself
    more = {"EAGLE_FORK_SERVER": "/nowhere", "LD_PRELOAD": str(library), "FAULTS_CLOCK": str(clock)}
    process = world.start("eagle", "stage", stage, **more)
    time.sleep(
        random.Random(f"{seed} {stage} {by}").random() * (10 * START + world.cost(stage))
    )  # it imports for itself
    late = process.poll() is not None
    clock.write_text(str(JUMPS[by]), encoding="utf-8")
    said, _ = process.communicate()
    where = f"{stage}, {by}{', behind its end' if late else ''}"
    if process.returncode:
        return Outcome("lost", f"{where}: {said[-300:]}")
    cost = json.loads((world.root / f"reports/costs/{stage}.json").read_text(encoding="utf-8"))
    wrong = world.differences([stage]) + ([f"{cost['seconds']} seconds"] if not 0 <= cost["seconds"] < 3600 else [])
    return Outcome("lost", f"{where}: {'; '.join(wrong[:3])}") if wrong else Outcome("identical", where)


def cases(seed: int, runs: int) -> Iterator[Case]:
    """Yield every jump in every one of a few stages."""
    for stage in STAGES:
        for by in JUMPS:
            yield Case("clock", by, f"{seed}-{stage}-{by}", partial(jump, seed=seed, stage=stage, by=by))
