"""What code of our own buys: a user's whole command with a piece of it and without, in turn, in one run.

``python -m benchmarks.own_code --project .`` needs a folder that ``make run`` filled, and works on a copy. Each line
gives medians and the median of the pairs' ratios, of processor seconds and of wall seconds. docs/performance.md says
what came out and when a piece should go.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from eagle.config import Config, load_config
from eagle.config.stages import STAGES, all_instances
from eagle.core.artifacts import read_json
from eagle.core.project import Project
from eagle.data.stored import read_items, read_users

ALONE = """
import eagle.serving.steer as place
whole = place.open_language_model
place.open_language_model = lambda *given, single: whole(*given)
"""
LORA = """
import eagle.policies.lora_model as place
place.is_plain_lora = lambda model: False
"""
COMMAND = "from eagle.cli import main; main()"
UPDATES = {"kind": "all_action", "updates": 5, "pairs": 10, "pool": 10}


WRITER, EMBEDDER = "eagle.engine.torch.model", "transformers.models.bert.modeling_bert"
LATER = {  # what stages import on their way
    **dict.fromkeys(("actions", "transitions"), WRITER),
    **dict.fromkeys(("encoder", "profiles", "design"), EMBEDDER),
    "models": "transformers.models.llama.modeling_llama",
    "validate": "great_expectations",
    "register": "eagle.serving.steer",
}


@dataclass(frozen=True)
class Piece:
    """``without``: what takes the piece away before the command begins; ``params``: what is set, by its dotted name."""

    name: str
    without: str
    command: tuple[str, ...]
    params: dict[str, Any]


@dataclass(frozen=True)
class Taken:
    """Seconds of one command: of processors, by the clock, and of an update where the command makes some."""

    cpu: float
    wall: float
    update: float | None = None


def pieces(project: Project) -> list[Piece]:
    """Return the pieces that are measured by a command."""
    files, arm = project.catalogue_files, load_config(project.params).train.arms[0]
    user, item = read_users(files.users)["user"].iloc[0], read_items(files.items)["item"].iloc[0]
    agent = project.agent(arm).relative_to(project.root)
    steer = ("steer", "--user", str(user), "--item", str(item), "--agent", str(agent))
    found = [
        Piece(f"eagle steer, row alone, {dtype}", ALONE, steer, {"llm.dtype": dtype})
        for dtype in ("float32", "bfloat16")
    ]
    params = {"train.phases": [UPDATES]}
    return [*found, Piece("update of the training, own LoRA passes", LORA, ("stage", f"train@{arm}"), params)]


def copied(project: Project, folder: Path, params: dict[str, Any]) -> Project:
    """Return a copy of what a command needs, with parameters changed."""
    for name in ("data", "models"):
        shutil.copytree(project.root / name, folder / name, ignore=shutil.ignore_patterns("checkpoints"))
    settings = yaml.safe_load(project.params.read_text(encoding="utf-8"))
    for name, value in params.items():
        section, field = name.split(".")
        settings[section][field] = value
    settings["llm"]["cache"] = False
    copy = Project(folder)
    copy.params.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return copy


def run(piece: Piece, project: Project, *, without: bool) -> Taken:
    """Run the command once, as a process of its own."""
    shutil.rmtree(project.checkpoints, ignore_errors=True)
    code = (piece.without if without else "") + COMMAND
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", code, *piece.command],
        cwd=project.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        said = process.stderr.read() if process.stderr else b""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(said.decode(errors="replace")[-2000:])
    wall, cost = time.perf_counter() - start, project.cost(piece.command[1])
    updates = read_json(cost)["updates"] if cost.exists() else []
    return Taken(used.ru_utime + used.ru_stime, wall, median(u["gradient"] for u in updates[1:]) if updates else None)


def line(name: str, ours: Sequence[float], others: Sequence[float]) -> str:
    """Return medians and the median of the ratios."""
    ratio = median(other / own for own, other in zip(ours, others, strict=True))
    return f"{name}: with {median(ours):.2f} s, without {median(others):.2f} s, ratio {ratio:.2f}"


def measure(piece: Piece, project: Project, runs: int) -> list[str]:
    """Run both sides in turn and return a line for each clock."""
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(project, Path(folder) / "project", piece.params)
        pairs = [tuple(run(piece, copy, without=without) for without in (False, True)) for _ in range(runs)]
    lines = [
        line(f"{piece.name}, {clock}", [getattr(own, clock) for own, _ in pairs], [getattr(o, clock) for _, o in pairs])
        for clock in ("cpu", "wall")
    ]
    updates = [(own.update, other.update) for own, other in pairs if own.update and other.update]
    return lines + ([line(f"{piece.name}, one update", *zip(*updates, strict=True))] if updates else [])


def starts() -> list[str]:
    """Return the processor seconds that all stages take to start, each by itself: the fork server saves those."""
    stages = {stage.name: stage.module for stage in STAGES}
    alone = _imported("eagle.cli")
    taken = {}
    for name in all_instances(Config()):
        kind = name.split("@")[0]
        taken[name] = _imported("eagle.cli", stages[kind], *([LATER[kind]] if kind in LATER else [])) - alone
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in taken.items())
    return [f"stage starts without the fork server: {sum(taken.values()):.1f} s ({parts})"]


def _imported(*modules: str) -> float:
    with subprocess.Popen([sys.executable, "-c", f"import {', '.join(modules)}"]) as process:
        _, process.returncode, used = os.wait4(process.pid, 0)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure every piece."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.own_code", description=__doc__)
    parser.add_argument("--project", type=Path, default=Path(), help="the folder that make run filled")
    parser.add_argument("--runs", type=int, default=3, help="pairs of runs")
    parser.add_argument("--only", default="", help="pieces whose name holds this")
    asked = parser.parse_args()
    project = Project(asked.project.resolve())
    if asked.only in "stage starts":
        print("\n".join(starts()), flush=True)
    for piece in pieces(project):
        if asked.only in piece.name:
            print("\n".join(measure(piece, project, asked.runs)), flush=True)


if __name__ == "__main__":
    main()
