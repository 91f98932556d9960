"""reports/registration.json: what the last registration made, which the summary shows and the registry looks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from eagle.core.artifacts import read_record, write_json
from eagle.core.project import Project


@dataclass(frozen=True)
class Registration:
    """A version of the registered model, where it came from, and the decision about the champion."""

    model: str
    version: str
    arm: str | None
    """The reference that the agent was trained from."""
    run: str
    """MLflow's run of the agent's arm."""
    pipeline_run: str
    champion: str | None
    """The champion's version since then."""
    champion_before: str | None
    decision: Mapping[str, Any]
    tracking_uri: str

    def write(self, project: Project) -> None:
        """Write the file."""
        write_json(project.registration, asdict(self))

    @classmethod
    def load(cls, project: Project) -> Registration | None:
        """Return the last registration of a project; None where there was none."""
        if not project.registration.exists():
            return None
        return read_record(project.registration, cls)
