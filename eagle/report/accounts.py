"""What the stages took: their accounts, and the sum of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eagle.config.stages import STAGES
from eagle.core.artifacts import read_json
from eagle.core.project import Project
from eagle.evaluation.arm import Arm, belongs_to


def read_costs(project: Project, arms: Sequence[Arm]) -> list[dict[str, Any]]:
    """Return the accounts of all stages up to evaluation, in the order of the pipeline.

    Accounts of stages that come after this one, of names that the pipeline no longer has, and of arms that are none of
    ``arms`` any more are left out.
    """
    place = {stage.name: index for index, stage in enumerate(STAGES) if stage.name not in ("report", "register")}
    found = [read_json(path) for path in sorted(project.costs.glob("*.json"))]
    known = [a for a in found if a["stage"].split("@")[0] in place and belongs_to(a["stage"], arms)]
    return sorted(known, key=lambda account: (place[account["stage"].split("@")[0]], account["stage"]))


def total_costs(costs: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum of seconds, tokens, calls and faults, largest memory, and the stages themselves: reports/costs.json."""
    summed = ("seconds", "prompt_tokens", "new_tokens", "remembered_tokens", "calls", "repeated", "failed", "halved")
    total: dict[str, Any] = {
        name: round(sum(c.get(name, 0) for c in costs), 3) for name in summed
    }  # older accounts know no faults
    total["peak_memory_mib"] = max((c["peak_memory_mib"] for c in costs), default=0.0)
    return {
        "total": total,
        "stages": {c["stage"]: {k: v for k, v in c.items() if k not in ("stage", "updates")} for c in costs},
    }
