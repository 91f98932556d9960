"""A finished run: what its stages cost and how much work they had. The last one here, or the one that is shipped.

`default_run.json` has what seven measured runs, fitted together, say of the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from eagle.config import Config, load_config
from eagle.config.stages import all_instances
from eagle.core.artifacts import read_json
from eagle.core.project import Project
from eagle.core.repository import read_locked
from eagle.plan.sizes import Sizes
from eagle.plan.work import Work, work_of

TARGETS = ("seconds", "peak_memory_mib", "prompt_tokens", "new_tokens")
SHIPPED = Path(__file__).with_name("default_run.json")
Costs = dict[str, float]


@dataclass(frozen=True)
class Finished:
    """Costs and work by stage; ``parameters`` of the language model, 0 where they are those of the model here."""

    name: str
    costs: Mapping[str, Costs]
    work: Mapping[str, Work]
    parameters: int = 0

    def same_kind(self, name: str) -> str | None:
        """Return the stage itself if it has run, or else another instance of it (``train@uniform``)."""
        kin = [other for other in self.costs if other.split("@")[0] == name.split("@")[0]]
        return name if name in self.costs else kin[0] if kin else None


def shipped() -> Finished:
    """Read the run of the default that the package holds."""
    told = read_json(SHIPPED)
    return Finished(**told | {"work": {name: Work(*counts) for name, counts in told["work"].items()}})


def last_run(project: Project) -> Finished:
    """Read what the stages here cost the last time; those that have not run yet are those of the shipped run."""
    default = shipped()
    if not project.catalogue_files.items.exists():
        return default
    then = _params_then(project)
    if then is None:
        return replace(default, name=f"{default.name}; dvc.lock notes parameters that this version cannot read")
    work = work_of(then, Sizes.fetched(project.catalogue))
    told = {name: read_json(project.cost(name)) for name in work if project.cost(name).exists()}
    costs = {name: {target: float(cost[target]) for target in TARGETS} for name, cost in told.items()}
    kinds = {name.split("@")[0] for name in costs}
    lent = {name: cost for name, cost in default.costs.items() if name.split("@")[0] not in kinds}
    name = "the last run here (reports/costs)" + (f"; {', '.join(lent)} from {default.name}" if lent else "")
    return Finished(name, costs | lent, {**work, **{n: default.work[n] for n in lent}}) if costs else default


def _params_then(project: Project) -> Config | None:
    """Return the parameters of the last run as DVC noted them; without its notes, the present ones.

    DVC keeps the notes of stages that are gone and of earlier versions: only stages of the present parameters count,
    and what is no parameter any more is left out. None where the rest is not valid.
    """
    present, made = load_config(project.params), read_locked(project.dvc_lock)
    noted: dict[str, Any] = {}
    for stage in reversed(all_instances(present)):  # the first that reads a section ran last with it
        for name, value in made.get(stage, {}).get("params", {}).get(project.params.name, {}).items():
            section, _, field = name.partition(".")
            noted[section] = noted.get(section, {}) | {field: value} if field else value
    try:
        return Config.model_validate(noted, extra="ignore") if noted else present
    except ValidationError:
        return None
