"""What an agent is held to: a gain must not be bought with a collapse onto few actions, with broken texts or with
drift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from eagle.config import BoundsConfig
from eagle.core.artifacts import read_json
from eagle.core.project import Project
from eagle.evaluation.arm import Arm

LEAST = {
    "distinct_actions": "different actions",
    "valid_actions": "valid actions",
    "mutual_information": "information on the user",
}
MOST = {"defects": "defects", "copies": "copies", "kl": "KL to the reference"}


@dataclass(frozen=True)
class Held:
    """One figure beside its bound; ``value`` is None where it was not measured, which keeps no bound."""

    name: str
    value: float | None
    bound: float
    kept: bool

    def __str__(self) -> str:
        told = "not measured" if self.value is None else f"{self.value:.3g}"
        sense = "at least" if self.name in LEAST else "at most"
        return f"{(LEAST | MOST)[self.name]} {told} ({sense} {self.bound:g})"


def held_to(bounds: BoundsConfig, found: Mapping[str, Any], curve: pd.DataFrame) -> list[Held]:
    """Hold the held-out figures of one arm, and the last KL of its training curve, to ``bounds``."""
    drift = curve["kl"].dropna() if "kl" in curve else pd.Series(dtype=float)
    values = {**found, "kl": float(drift.iloc[-1]) if len(drift) else None}
    held = []
    for name in (*LEAST, *MOST):
        value, bound = values.get(name), float(getattr(bounds, name))
        kept = value is not None and (value >= bound if name in LEAST else value <= bound)
        held.append(Held(name, value, bound, kept))
    return held


def sentence(arm: Arm, held: Sequence[Held]) -> str:
    """Say whether an arm keeps its bounds, with all figures, or those outside."""
    broken = [str(one) for one in held if not one.kept]
    if broken:
        return f"{arm.label} is outside its bounds, so read its gain with care: {'; '.join(broken)}."
    return f"{arm.label} keeps all its bounds: {'; '.join(map(str, held))}."


def as_json(held: Mapping[Arm, Sequence[Held]]) -> dict[str, Any]:
    """Return what reports/bounds.json holds, by arm."""
    return {
        arm.name: {"kept": all(one.kept for one in figures), "figures": [asdict(one) for one in figures]}
        for arm, figures in held.items()
    }


def outside(project: Project, arm: Arm) -> str | None:
    """Return the sentence on an arm outside its bounds; None where it keeps them, or where no report was made."""
    path = project.bounds
    told = read_json(path).get(arm.name) if path.exists() else None
    return None if told is None or told["kept"] else sentence(arm, [Held(**figure) for figure in told["figures"]])
