"""What asking for nothing costs: an unchanged ``dvc repro`` beyond ``dvc status`` itself, and ``eagle --help``."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.records import GOALS, Found, Record, Setting, alone, interleaved, missing, rounded

UNCHANGED = "Data and pipelines are up to date."


def _now(setting: Setting) -> float:
    """Seconds on the chosen clock; processor time is that of finished children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() if setting.clock == "wall" else used.ru_utime + used.ru_stime


def seconds_of(setting: Setting, *words: str) -> float:
    """Return the seconds of ``python -m WORDS`` in the project, which must succeed."""
    start = _now(setting)
    subprocess.run([sys.executable, "-m", *words], cwd=setting.project, capture_output=True, check=True)
    return _now(setting) - start


def unchanged(folder: Path) -> str:
    """Return what keeps DVC from having nothing to do; empty where nothing does."""
    if not (folder / "dvc.lock").is_file():
        return "the pipeline has not run here: make run"
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "status"], cwd=folder, capture_output=True, text=True, check=False
    )
    return "" if UNCHANGED in done.stdout else "the pipeline is not up to date: dvc repro"


def measure(setting: Setting) -> Found:
    """Return noop_repro (the difference, with `dvc status` as the peer) and eagle_help."""
    sides = {"help": partial(seconds_of, setting, "eagle.cli", "--help")}
    why = unchanged(setting.project)
    if not why:
        sides |= {name: partial(seconds_of, setting, "dvc", name) for name in ("status", "repro")}
    found = interleaved(sides, setting.runs)
    return Found(
        [
            missing("noop_repro", why) if why else _difference(found, setting),
            alone("eagle_help", setting.seconds, found["help"]),
        ]
    )


def _difference(found: dict[str, list[float]], setting: Setting) -> Record:
    more = [repro - status for repro, status in zip(found["repro"], found["status"], strict=True)]
    ratio = median(repro / status for repro, status in zip(found["repro"], found["status"], strict=True))
    figures = rounded(median(more)), rounded(median(found["status"]))
    note = "ours: dvc repro less dvc status; ratio: dvc repro / dvc status"
    return Record(
        "noop_repro", setting.seconds, *figures, "dvc status", rounded(ratio), GOALS["noop_repro"], len(more), note
    )
