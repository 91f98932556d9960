"""What an agent is held to: a gain must not be bought with a collapse onto few actions, with broken texts or with
drift.

Records only: the registry decides on them, and :mod:`eagle.report.words` puts them into sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from eagle.config import BoundsConfig
from eagle.core.artifacts import read_json, write_json
from eagle.core.project import Project
from eagle.evaluation.arm import Arm

LEAST = ("distinct_actions", "valid_actions", "mutual_information")
MOST = ("defects", "copies", "kl")


@dataclass(frozen=True)
class BoundCheck:
    """One figure beside its bound; ``value`` is None where it was not measured, which keeps no bound."""

    name: str
    value: float | None
    bound: float
    kept: bool

    @property
    def sense(self) -> str:
        """Return "at least" or "at most"."""
        return "at least" if self.name in LEAST else "at most"


def check_bounds(bounds: BoundsConfig, figures: Mapping[str, Any], curve: pd.DataFrame) -> list[BoundCheck]:
    """Hold the held-out figures of one arm, and the last KL of its training curve, to ``bounds``."""
    drift = curve["kl"].dropna() if "kl" in curve else pd.Series(dtype=float)
    values = {**figures, "kl": float(drift.iloc[-1]) if len(drift) else None}
    checks = []
    for name in (*LEAST, *MOST):
        value, bound = values.get(name), float(getattr(bounds, name))
        kept = value is not None and (value >= bound if name in LEAST else value <= bound)
        checks.append(BoundCheck(name, value, bound, kept))
    return checks


def outside(checks: Sequence[BoundCheck]) -> list[BoundCheck]:
    """Return the checks whose bound is not kept."""
    return [check for check in checks if not check.kept]


def write_bounds(project: Project, checks: Mapping[Arm, Sequence[BoundCheck]]) -> None:
    """Write reports/bounds.json: by name of arm, whether all bounds are kept, and every figure beside its bound."""
    found = {
        arm.name: {"kept": not outside(of_arm), "figures": [asdict(check) for check in of_arm]}
        for arm, of_arm in checks.items()
    }
    write_json(project.bounds, found)


def read_bounds(project: Project) -> dict[str, list[BoundCheck]]:
    """Return the checks of reports/bounds.json by name of arm; none where no report was made."""
    if not project.bounds.exists():
        return {}
    found = read_json(project.bounds)
    return {name: [BoundCheck(**figure) for figure in of_arm["figures"]] for name, of_arm in found.items()}
