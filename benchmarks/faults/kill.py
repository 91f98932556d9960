"""Kind ``kill``: SIGKILL to DVC, its stage and all between, at seeded moments; then the same command again."""

from __future__ import annotations

import contextlib
import random
import subprocess
import time
from collections.abc import Iterator

import psutil

from benchmarks.faults.ledger import Case, Outcome
from benchmarks.faults.world import World

SPAN = 1.1
"""A moment is drawn up to this many times the stage's undisturbed seconds, so that some fall behind its end."""

START = 1.0
"""Seconds that a stage takes beside its own work when it starts in the fork server."""
FLOWS = 100
"""From so many kills on, a whole flow is killed too."""


def kill_tree(process: subprocess.Popen[str]) -> bool:
    """Kill a process with all below it; say whether it still ran."""
    ran = process.poll() is None
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(process.pid)
        for one in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
    process.communicate()
    return ran


def one_stage(world: World, stage: str, share: float, *, warm: bool, dvc: bool) -> Outcome:
    """Kill a stage that was never run, and DVC with it where ``dvc`` runs it; all before it is up to date."""
    world.reset()
    world.unmake(stage)
    if not warm:
        world.forget_texts()
    command = ("dvc", "repro", "-q", "--single-item", stage) if dvc else ("eagle", "stage", stage)
    moment = share * (world.seconds[stage] if dvc else START + world.cost(stage))
    process = world.start(*command)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(moment)
    ran = kill_tree(process)
    where = f"{stage} after {moment:.1f} s{'' if ran else ', which had ended'}"
    again = world.run(*command)
    if again.code:
        return Outcome("lost", f"{where}: not to be finished: {again.said[-300:]}")
    wrong = world.differences([stage]) + unregistered(world, stage)
    return Outcome("lost", f"{where}: {'; '.join(wrong[:3])}") if wrong else Outcome("identical", where)


def unregistered(world: World, stage: str) -> list[str]:
    """Return what the registry lacks after the stage ``register``."""
    if stage != "register":
        return []
    said = world.run("eagle", "steer", "--user", "u1", "--item", "i3", "--seed", "7", "--json")
    return [] if said.code == 0 else [f"the champion does not steer: {said.said[-200:]}"]


def whole(world: World, seed: int, kills: int) -> Outcome:
    """Kill a flow of the whole pipeline again and again, from an empty folder on, and let the last one finish."""
    draw = random.Random(f"{seed} whole")
    world.reset()
    world.unmake(world.stages[0])
    world.forget_texts()
    total, ended = sum(world.seconds.values()), 0
    for _ in range(kills):
        process = world.start("python", "-m", "flows.pipeline")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20 + draw.random() * total / kills)
        ended += not kill_tree(process)
        time.sleep(1)  # the fork server of a killed flow leaves
    done = world.run("python", "-m", "flows.pipeline")
    if done.code:
        return Outcome("lost", f"not to be finished: {done.said[-300:]}")
    wrong = world.differences()
    note = f"{kills} kills of one flow, {ended} of them after its end"
    return Outcome("lost", "; ".join([note, *wrong[:3]])) if wrong else Outcome("identical", note)


def cases(seed: int, runs: int) -> Iterator[Case]:
    """Yield ``runs`` kills, every second one with a cold cache, every fourth one of DVC too; then some of a flow."""
    for number in range(runs):
        draw = random.Random(f"{seed} kill {number}")
        warm, dvc = number % 2 == 0, number % 4 == 3

        def run(world: World, draw: random.Random = draw, warm: bool = warm, dvc: bool = dvc) -> Outcome:
            return one_stage(world, draw.choice(world.stages), SPAN * draw.random(), warm=warm, dvc=dvc)

        group = f"{'dvc and its stage' if dvc else 'a stage'}, {'warm' if warm else 'cold'} cache"
        yield Case("kill", group, f"{seed}-{number}", run)
    if runs >= FLOWS:
        yield Case("kill", "a flow, from an empty folder", f"{seed}-flow", lambda world: whole(world, seed, kills=5))
