"""Kind ``endpoint``: the endpoint that writes the texts fails three requests of ten, or never answers."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import yaml

from benchmarks.faults.ledger import Case, Outcome
from benchmarks.faults.world import Done, World
from tests.end_to_end.small_world import GENRES, PLOTS
from tests.endpoint.served import Line, running

FAILING = {"healthy": 0.0, "fails 30%": 0.3, "hangs": 1.0}
STAGE, OUTPUT = "transitions", "data/transitions.parquet"


class ScriptedLine(Line):
    """Tells a plot that follows from prompt and seed, where its fault of the moment lets it."""

    def draw(self) -> str | None:
        """Return what goes wrong with the next request; one that always fails, hangs."""
        return "late" if self.failing == 1 else super().draw()

    def pass_on(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Answer in the place of a server behind."""
        if method == "GET":
            return 200, b'{"data": [{"id": "llm"}]}'
        asked = json.loads(body)
        number = int(hashlib.sha256(f"{asked['prompt']} {asked['seed']}".encode()).hexdigest()[:8], 16)
        pairs = list(itertools.permutations(GENRES, 2))
        text = f" {', '.join(pairs[number % len(pairs)])}. Plot: {PLOTS[number % len(PLOTS)]}\n"
        return 200, json.dumps({"choices": [{"index": 0, "text": text, "finish_reason": "stop"}]}).encode()


def written(world: World, way: str, seed: int) -> tuple[Done, str, int]:
    """Have a stage's texts written by an endpoint; return how it ended, the hash of the texts, and the faults met."""
    world.reset()
    world.unmake(STAGE)
    world.forget_texts()
    with running(ScriptedLine(0, failing=FAILING[way], seed=seed)) as made:
        params = yaml.safe_load((world.root / "params.yaml").read_text(encoding="utf-8"))
        params["llm"] |= {"endpoint": made.address, "timeout": 2.0, "retries": 8 if way != "hangs" else 0}
        (world.root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
        done = world.run("eagle", "stage", STAGE)
        faults = made.faults.total()
    output = world.root / OUTPUT
    return done, hashlib.sha256(output.read_bytes()).hexdigest() if output.exists() else "", faults


def failing(world: World, *, way: str, seed: int) -> Outcome:
    """Compare an endpoint's texts with those of a healthy one; one that hangs is told of in one message."""
    right = _healthy(world.pristine.parent / "healthy.txt", world, seed)
    done, found, faults = written(world, way, seed)
    if way == "hangs":
        left = world.leftovers()
        if left or not done.code:
            return Outcome("lost", f"exit {done.code}: {left}")
        clear = done.clear and done.code == 2
        return Outcome("told" if clear else "unclear", done.said.strip()[-300:])
    where = f"{faults} faults"
    if done.code:
        return Outcome("lost", f"{where}: {done.said[-300:]}")
    return Outcome("identical" if found == right else "silent", where)


def _healthy(kept: Path, world: World, seed: int) -> str:
    if not kept.exists():
        done, found, _ = written(world, "healthy", seed)
        if done.code:
            raise RuntimeError(done.said[-500:])
        kept.write_text(found, encoding="utf-8")
    return kept.read_text(encoding="utf-8")


def cases(seed: int, runs: int) -> Iterator[Case]:
    """Yield a few endpoints that fail, each in another order of faults, and one that hangs."""
    for number in range(max(1, runs // 40)):
        run = partial(failing, way="fails 30%", seed=seed + number)
        yield Case("endpoint", "fails 30%", f"{seed}-fails-{number}", run)
    yield Case("endpoint", "hangs", f"{seed}-hangs", partial(failing, way="hangs", seed=seed))
