"""From the stages of a pipeline to MLflow while they run, without MLflow in any of them.

A stage that DVC runs writes a journal (:mod:`eagle.core.live`) into a folder of its pipeline. One process beside the
pipeline, the tracker (:mod:`eagle.registry.live.tracker`), carries the journals to MLflow: a slow, locked or lost store
never holds up a stage. The tracker ends with the pipeline. Linux only: elsewhere MLflow gets everything at the end.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from eagle.config import RegistryConfig
from eagle.core import live
from eagle.core.parent import PIPELINE
from eagle.core.project import Project
from eagle.registry.location import live_folder
from eagle.registry.measured import Measured

LEFT_OUT = "left_out.txt"
_TOLD, _LOCK, _LOG = "left_out_told.txt", "tracker.lock", "tracker.log"
_START = 20  # seconds for the tracker to detach itself


@contextlib.contextmanager
def followed(stage: str, config: RegistryConfig, project: Project) -> Iterator[None]:
    """Have the stage inside followed, where a pipeline runs it; what fails of that is told once and fails no stage."""
    pipeline = os.environ.get(PIPELINE)
    if pipeline is None or not config.live:
        yield
        return
    folder = live_folder(config, project) / pipeline
    with live.journal(folder, stage):
        _start_tracker(folder, project)
        try:
            yield
            # Said by the stage: once it has ended, DVC moves its files aside and back, and a follower would miss them.
            live.say("measured", **asdict(Measured.read(project, stage)))
        finally:
            _tell_left_out(folder)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Yield whether this process has the folder's lock, which is the tracker's for as long as it lives."""
    import fcntl

    with open(folder / _LOCK, "a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _start_tracker(folder: Path, project: Project) -> None:
    """Start the pipeline's tracker where none lives; it leaves this process and its session at once."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        with locked(folder) as free:
            pass
        if not free:
            return
        surroundings = {name: value for name, value in os.environ.items() if name != live.JOURNAL}
        with open(folder / _LOG, "a", encoding="utf-8") as log:
            subprocess.run(
                [sys.executable, "-m", "eagle.registry.live.tracker", str(folder.resolve())],
                cwd=project.root,
                env=surroundings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                timeout=_START,
                check=False,
            )


def _tell_left_out(folder: Path) -> None:
    """Say once for the whole pipeline that MLflow could not be reached, and why."""
    with contextlib.suppress(OSError):
        why = (folder / LEFT_OUT).read_text(encoding="utf-8")
        if not (folder / _TOLD).exists():
            (folder / _TOLD).write_text(why, encoding="utf-8")
            print(f"MLflow does not follow this run for now: {why}", file=sys.stderr, flush=True)
