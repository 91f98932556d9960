"""Kind ``flip``: one byte of a file that a result depends on; is it noticed before it changes one?"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.faults.bytes_of import files_below, flip
from benchmarks.faults.kill import kill_tree
from benchmarks.faults.ledger import Case, Outcome
from benchmarks.faults.world import World
from eagle.core.project import Project
from eagle.engine.cache import CompletionStore

READERS = {
    "data/catalogue": "split",
    "data/splits": "factors",
    "models/factors.safetensors": "encoder",
    "data/descriptions.parquet": "quality",
    "models/encoder": "profiles",
    "data/profiles.parquet": "actions",
    "data/actions.parquet": "transitions",
    "data/transitions.parquet": "design",
    "models/text_model": "encoder",
    "models/llm": "describe",
}
"""Outputs of stages, each with a quick stage that reads it."""
REGISTERED = (
    "agent/agent.json",
    "agent/cases.json",
    "agent/params.yaml",
    "agent/models/agent/g_optimal/adapter_model.safetensors",
    "agent/models/agent/g_optimal/adapter_config.json",
    "agent/models/encoder/encoder.safetensors",
    "agent/models/encoder/latent.safetensors",
    "agent/models/quality.json",
    "agent/data/descriptions.parquet",
    "agent/data/profiles.parquet",
    "agent/data/catalogue/items.parquet",
)


def seen_by_dvc(world: World, *, seed: int, names: list[str]) -> Outcome:
    """Change a byte in every file of these paths at once: ``dvc status`` has to name each path, and put them right."""
    world.reset()
    draw = random.Random(f"{seed} seen {names}")
    for path in files_below(world.root, names):
        flip(path, draw)
    named = world.dvc("status", "--json").said
    missed = [name for name in names if f'"{name}' not in named]
    if missed:
        return Outcome("silent", f"dvc status does not name {', '.join(missed)}")
    return Outcome("told", f"dvc status names {', '.join(names)}")


def unseen_by_dvc(world: World, *, seed: int, name: str) -> Outcome:
    """Change a byte of an output without its times, as a bad disk does, and run a stage that reads it."""
    stage = READERS[name]
    world.reset()
    world.dvc("status", "--quiet")  # DVC notes hashes with the files' times
    world.unmake(stage)
    draw = random.Random(f"{seed} unseen {name}")
    path = draw.choice(files_below(world.root, [name]))
    place = flip(path, draw, unseen=True)
    where = f"byte {place} of {path.relative_to(world.root)}, read by {stage}"
    done = world.dvc("repro", "-q", "--single-item", stage)
    if done.code:
        return Outcome("told" if done.clear else "unclear", f"{where}: {done.said.strip()[-200:]}")
    return Outcome("silent", where)


def in_dvc_cache(world: World, *, seed: int, name: str) -> Outcome:
    """Change a byte of an output's copy in DVC's cache, have the output brought back from there, and run a reader."""
    stage = READERS[name]
    world.reset()
    (md5,) = (out["md5"] for made in world.lock()["stages"].values() for out in made["outs"] if out["path"] == name)
    flip(Project(world.root).dvc_cache / md5[:2] / md5[2:], random.Random(f"{seed} cache {name}"))
    (world.root / name).unlink()
    world.dvc("checkout", name)
    world.unmake(stage)
    done = world.dvc("repro", "-q", "--single-item", stage)
    where = f"{name}, read by {stage}"
    if done.code:
        return Outcome("told" if done.clear else "unclear", f"{where}: {done.said.strip()[-200:]}")
    return Outcome("silent", where)


def in_completions(world: World, *, seed: int, number: int) -> Outcome:
    """Change a byte of the cache of completions: every text that it gives is the right one, or it gives none."""
    world.reset()
    path = world.root / ".cache/completions.sqlite"
    store = CompletionStore(path)
    with contextlib.closing(store.connect()) as db:
        keys = [key for (key,) in db.execute("SELECT key FROM completions")]
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    right = store.read(keys)
    flip(path, random.Random(f"{seed} completions {number}"))
    found = CompletionStore(path).read(keys)
    wrong = [key for key, value in found.items() if value != right[key]]
    return Outcome("silent" if wrong else "identical", f"{len(found)} of {len(keys)} texts are still there")


def in_registered_file(world: World, *, seed: int, name: str) -> Outcome:
    """Change a byte of a registered file and ask the champion for a trajectory."""
    world.reset()
    places = [
        path for path in (world.root / "mlruns/artifacts/models").rglob(Path(name).name) if str(path).endswith(name)
    ]
    flip(places[0], random.Random(f"{seed} registered {name}"))
    right = world.pristine.parent / "champion.json"
    asked = ("eagle", "steer", "--user", "u1", "--item", "i3", "--seed", "7", "--json")
    done = world.run(*asked)
    if done.code:
        return Outcome("told" if done.clear else "unclear", f"{name}: {done.said.strip()[-200:]}")
    if not right.exists():
        world.reset()
        right.write_text(world.run(*asked).said, encoding="utf-8")
    return Outcome("identical" if done.said == right.read_text(encoding="utf-8") else "silent", name)


def in_unfinished_work(world: World, *, seed: int, stage: str) -> Outcome:
    """Kill a stage once it has kept unfinished work, change a byte in every file of that, and finish the stage."""
    world.reset()
    world.unmake(stage)
    world.forget_texts()
    process = world.start("dvc", "repro", "-q", "--single-item", stage)
    kept = world.root / "models/checkpoints"
    while process.poll() is None and not _any_kept(kept):
        pass
    kill_tree(process)
    draw = random.Random(f"{seed} unfinished {stage}")
    files = [path for path in files_below(kept, ["."]) if _is_kept(path)]
    for path in files:
        flip(path, draw)
    world.forget_texts()
    done = world.dvc("repro", "-q", "--single-item", stage)
    where = f"{stage}, {len(files)} files"
    if done.code:
        return Outcome("told" if done.clear else "unclear", f"{where}: {done.said.strip()[-200:]}")
    wrong = world.differences([stage])
    return Outcome("silent", f"{where}: {wrong[0]}") if wrong else Outcome("identical", where)


def _any_kept(folder: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):  # a draft that got its name while its folder was read
        return any(_is_kept(path) for path in folder.rglob("*"))
    return False


def _is_kept(path: Path) -> bool:
    return path.is_file() and not any(part.startswith(".") for part in path.parts[-3:])


def cases(seed: int, runs: int) -> Iterator[Case]:
    """Yield what is changed with a word to DVC, without one, in its cache, in ours, in the registry and under way."""
    inputs, outputs = ["own/ratings.csv", "own/items.csv"], list(READERS)
    yield Case("flip", "input", f"{seed}-inputs", partial(seen_by_dvc, seed=seed, names=inputs))
    yield Case("flip", "output", f"{seed}-outputs", partial(seen_by_dvc, seed=seed, names=outputs))
    for name in outputs:
        yield Case("flip", "output, times kept", f"{seed}-{name}", partial(unseen_by_dvc, seed=seed, name=name))
    for name in (name for name in outputs if Path(name).suffix):
        yield Case("flip", "DVC's cache", f"{seed}-cache-{name}", partial(in_dvc_cache, seed=seed, name=name))
    for number in range(runs // 2):
        yield Case(
            "flip", "completions", f"{seed}-completions-{number}", partial(in_completions, seed=seed, number=number)
        )
    for stage in ("transitions", "train@g_optimal"):
        yield Case("flip", "unfinished work", f"{seed}-{stage}", partial(in_unfinished_work, seed=seed, stage=stage))
    for name in REGISTERED:
        yield Case("flip", "registered file", f"{seed}-{name}", partial(in_registered_file, seed=seed, name=name))
