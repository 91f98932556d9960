"""Kind ``together``: two of the same at once in one folder; one waits or is refused, and results are the same."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.faults.ledger import Case, Outcome
from benchmarks.faults.world import Done, World

WAYS = {
    "two flows": ("python", "-m", "flows.pipeline"),
    "two dvc repro": ("dvc", "repro", "-q"),
    "one stage twice, by hand": ("eagle", "stage", "transitions"),
}


def together(world: World, *, way: str) -> Outcome:
    """Start a command twice at once; whoever was refused must have been told why, and a third one finds all done."""
    world.reset()
    command = WAYS[way]
    begin = "transitions" if command[0] != "python" else "evaluate"
    world.unmake(begin)
    world.forget_texts()
    both = [world.start(*command) for _ in range(2)]
    ended = [Done(process.wait(), said) for process, (said, _) in [(p, p.communicate()) for p in both]]
    refused = [done for done in ended if done.code]
    stages = [begin] if command[0] == "eagle" else world.stages
    last = world.run(*command)
    codes = " and ".join(str(done.code) for done in ended)
    if last.code:
        return Outcome("lost", f"exit {codes}, then {last.code}: {last.said[-300:]}")
    if wrong := world.differences(stages):
        return Outcome("lost", f"exit {codes}: {'; '.join(wrong[:3])}")
    if not refused:
        return Outcome("identical", "both ended well")
    said = refused[0].said.strip()[-250:]
    return Outcome("told" if all(done.clear for done in refused) else "unclear", f"exit {codes}: {said}")


def cases(seed: int, runs: int) -> Iterator[Case]:
    """Yield every way, a few times over."""
    for number in range(max(1, runs // 60)):
        for way in WAYS:
            yield Case("together", way, f"{seed}-{way}-{number}", partial(together, way=way))
