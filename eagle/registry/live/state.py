"""What was carried to MLflow of a pipeline that runs, in ``run.json`` of its folder.

A follower that ends early is followed by another one from there, and the stage ``register`` finds there the run that it
completes.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from eagle.config import Config
from eagle.core.artifacts import read_json, write_json
from eagle.core.live import FINISHED
from eagle.core.parent import PIPELINE
from eagle.core.project import Project
from eagle.registry.live.stages import locked
from eagle.registry.location import live_folder

REGISTER = "register"
"""The stage with which a pipeline is complete."""
JOURNAL = ".jsonl"
_STATE = "run.json"
_CATCH_UP = 60.0  # seconds that the registration waits for the tracker
_ALONE = 10.0  # and where no tracker lives, for one that starts


@dataclass
class StageStart:
    """One start of a stage: its run, how many bytes of its journal are carried, and how it ended."""

    stage: str
    process: str | None
    run: str
    read: int = 0
    status: str | None = None
    at: float = 0.0
    """Time of the last event, seconds since 1970."""


@dataclass
class PipelineState:
    """What was carried: the parent run, and the starts of stages by their journals in the order of their starts."""

    run: str
    starts: dict[str, StageStart] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> PipelineState | None:
        path = folder / _STATE
        if not path.exists():
            return None
        told = read_json(path)
        return cls(told["run"], {name: StageStart(**start) for name, start in told["starts"].items()})

    def save(self, folder: Path) -> None:
        write_json(folder / _STATE, asdict(self))

    def last(self) -> dict[str, StageStart]:
        """Return the last start of every stage."""
        return {start.stage: start for start in self.starts.values()}

    def finished(self) -> dict[str, str]:
        """Return the runs of the stages whose last start has finished, by stage."""
        return {stage: start.run for stage, start in self.last().items() if start.status == FINISHED}


def under_way(config: Config, project: Project) -> PipelineState | None:
    """Return what is carried of the pipeline that runs this stage, once all is; None where nobody follows it."""
    pipeline = os.environ.get(PIPELINE)
    if pipeline is None or not config.registry.live:
        return None
    folder, asked = live_folder(config.registry, project) / pipeline, time.monotonic()
    patience = _CATCH_UP
    while folder.exists() and time.monotonic() < asked + patience:
        state = PipelineState.load(folder)
        sizes = {path.name: path.stat().st_size for path in folder.glob(f"*{JOURNAL}")}
        if state and sizes == {name: start.read for name, start in state.starts.items()}:
            return state
        with locked(folder) as free:
            patience = _ALONE if free else _CATCH_UP
        time.sleep(0.2)
    return None
