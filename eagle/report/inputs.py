"""Everything that the report reads, in one record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from eagle.actions.stored import read_design_weights
from eagle.core.artifacts import read_json
from eagle.core.commands import run_everything
from eagle.core.errors import EagleError, Problem
from eagle.core.project import Project
from eagle.data.stored import StoredProvenance, read_provenance, read_titles
from eagle.evaluation.arm import Arm, load_arms
from eagle.evaluation.stored import read_comparison, read_metrics, read_trajectories
from eagle.latent.space import LatentSpace, load_latent
from eagle.profiles.stored import Profiles
from eagle.report.accounts import read_costs
from eagle.training.curves import read_curve

TABLES = (2, 3, 4)


@dataclass(frozen=True)
class Inputs:
    """What the stages before this one left behind."""

    arms: tuple[Arm, ...]
    metrics: dict[str, Any]
    """reports/metrics.json: by arm, and beside them panel, cases and inputs."""
    tables: dict[str, pd.DataFrame]
    """table2, table3, table4."""
    trajectories: pd.DataFrame
    budgets: pd.DataFrame
    """reports/budget.csv; without rows where the comparison at equal budgets was left out."""
    curves: dict[str, pd.DataFrame]
    """Learning curves by name, in alphabetical order."""
    stages: dict[str, dict[str, Any]]
    """What each stage measured about itself."""
    costs: list[dict[str, Any]]
    """One account per stage, in the order of the pipeline."""
    latent: LatentSpace
    weights: pd.DataFrame
    """Of the exploration design: anchor, action, weight."""
    titles: dict[str, str]
    """By item."""
    profiles: dict[str, str]
    """Short profiles by user."""
    source: StoredProvenance
    """Where the ratings come from."""

    @property
    def trained(self) -> list[Arm]:
        """EAGLE's free-text arms."""
        return [arm for arm in self.arms if arm.is_main]

    @classmethod
    def load(cls, project: Project) -> Inputs:
        """Read all inputs; EagleError names every missing one at once."""
        needed = [
            project.arms,
            project.metrics,
            project.trajectories,
            project.budget,
            *map(project.table, TABLES),
            project.costs,
            project.curves,
            project.stage_metrics("encoder"),
            project.stage_metrics("design"),
            project.encoder,
            project.design_weights,
            project.profiles,
            project.catalogue,
        ]
        missing = [path for path in needed if not path.exists()]
        if missing:
            raise EagleError(
                Problem(
                    f"the report needs {path}", mend=f"run {run_everything(project.root)} or `dvc repro` to make it"
                )
                for path in missing
            )
        arms = load_arms(project)
        own = {arm.curve for arm in arms} | {"elm"}  # an arm of an earlier run may have left its curve
        curves = {path.stem: path for path in sorted(project.curves.glob("*.csv")) if path.stem in own}
        return cls(
            arms=arms,
            metrics=read_metrics(project.metrics),
            tables={f"table{n}": read_comparison(project.table(n)) for n in TABLES},
            trajectories=read_trajectories(project.trajectories),
            budgets=read_comparison(project.budget),
            curves={name: read_curve(path) for name, path in curves.items()},
            stages={path.stem: read_json(path) for path in sorted(project.all_stage_metrics.glob("*.json"))},
            costs=read_costs(project, arms),
            latent=load_latent(project.encoder),
            weights=read_design_weights(project.design_weights),
            titles=read_titles(project.catalogue_files.items),
            profiles=Profiles.load(project.profiles).short,
            source=read_provenance(project.catalogue_files.source),
        )
