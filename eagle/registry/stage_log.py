"""What MLflow's run of one stage says: what the stage cost and measured, and its curve."""

from __future__ import annotations

from eagle.core.project import Project
from eagle.registry.measured import Measured
from eagle.registry.run_log import RunLog

STAGE = "stage {}"
"""Name of a stage's run."""


def stage_tags(stage: str) -> dict[str, str]:
    """Return the tags of a stage's run."""
    return {"eagle.kind": "stage", "eagle.stage": stage}


def log_stage(run: RunLog, stage: str, measured: Measured) -> None:
    """Log what a finished stage cost and measured."""
    run.metrics({"cost": {key: value for key, value in measured.costs.items() if key != "stage"}})
    run.metrics(measured.figures)
    if measured.figures:
        run.document(measured.figures, f"{stage}.json")


def log_curve(run: RunLog, project: Project, stage: str) -> None:
    """Log the curve of a stage that nobody followed, as a follower would have."""
    curve = project.curve(stage.replace("@", "_"))
    if curve.exists():
        run.curve(curve)
