"""What a finished stage cost and measured. Without MLflow, since the stage reads it for whoever follows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eagle.core.artifacts import read_json
from eagle.core.project import Project


@dataclass(frozen=True)
class Measured:
    """The stage's two files; empty where it has none."""

    costs: Mapping[str, Any]
    """reports/costs."""
    figures: Mapping[str, Any]
    """reports/stages."""

    @classmethod
    def read(cls, project: Project, stage: str) -> Measured:
        """Read them."""
        costs, figures = (
            read_json(path) if path.exists() else {} for path in (project.cost(stage), project.stage_metrics(stage))
        )
        return cls(costs, figures)
