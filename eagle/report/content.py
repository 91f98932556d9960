"""Collect what the page shows; nothing here is HTML, and every text stays as it was found (the template escapes)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eagle.actions.stored import read_design_weights
from eagle.core.artifacts import read_json
from eagle.core.errors import EagleError, Problem
from eagle.core.project import Project
from eagle.data.stored import read_source, read_titles
from eagle.evaluation.arm import Arm, load_arms
from eagle.evaluation.comparison import final_rows
from eagle.evaluation.stored import read_comparison, read_metrics, read_trajectories
from eagle.latent.space import LatentSpace, load_latent
from eagle.profiles.stored import Profiles
from eagle.training.curves import read_curve

SAMPLES = 5
TABLES = (2, 3, 4)


@dataclass(frozen=True)
class Inputs:
    """Everything that the report reads."""

    arms: tuple[Arm, ...]
    metrics: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    trajectories: pd.DataFrame
    curves: dict[str, pd.DataFrame]
    stages: dict[str, dict[str, Any]]
    costs: list[dict[str, Any]]
    latent: LatentSpace
    weights: pd.DataFrame
    titles: dict[str, str]
    profiles: dict[str, str]
    source: dict[str, Any]

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
                Problem(f"the report needs {path}", mend="run `make run` or `dvc repro` to make it") for path in missing
            )
        return cls(
            arms=load_arms(project),
            metrics=read_metrics(project.metrics),
            tables={f"table{n}": read_comparison(project.table(n)) for n in TABLES},
            trajectories=read_trajectories(project.trajectories),
            curves={path.stem: read_curve(path) for path in sorted(project.curves.glob("*.csv"))},
            stages={path.stem: read_json(path) for path in sorted(project.all_stage_metrics.glob("*.json"))},
            costs=read_costs(project),
            latent=load_latent(project.encoder),
            weights=read_design_weights(project.design_weights),
            titles=read_titles(project.catalogue_files.items),
            profiles=Profiles.load(project.profiles).short,
            source=read_source(project.catalogue_files.source),
        )


def read_costs(project: Project) -> list[dict[str, Any]]:
    """Return the accounts of all stages up to evaluation, in the order of the pipeline.

    Accounts of stages that come after this one, or of names that the pipeline no longer has, are left out.
    """
    from eagle.config.stages import STAGES

    place = {stage.name: index for index, stage in enumerate(STAGES) if stage.name not in ("report", "register")}
    found = [read_json(path) for path in sorted(project.costs.glob("*.json"))]
    known = [account for account in found if account["stage"].split("@")[0] in place]
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


def samples(
    trajectories: pd.DataFrame, arm: Arm, titles: Mapping[str, str], profiles: Mapping[str, str]
) -> dict[str, list[dict[str, Any]]]:
    """Return whole episodes of an arm: the typical ones, the worst ones, and steps that failed; none is chosen by hand.

    typical: around the median gain. worst: lowest gain. failed: the first failed steps in case order.
    """
    rows = trajectories[trajectories["arm"] == arm.name].sort_values(["case", "step"])
    start = rows[rows["step"] == 0].set_index("case")["utility"]
    final = final_rows(rows).set_index("case")
    order = (final["utility"] - start).sort_values(kind="stable").index.to_numpy()
    middle = max(0, len(order) // 2 - SAMPLES // 2)
    failed = rows.loc[~rows["valid"].astype(bool), "case"].drop_duplicates().head(SAMPLES).to_numpy()
    chosen = {"typical": order[middle : middle + SAMPLES], "worst": order[:SAMPLES], "failed": failed}
    return {
        kind: [_episode(rows[rows["case"] == case], titles, profiles) for case in cases]
        for kind, cases in chosen.items()
    }


def _episode(rows: pd.DataFrame, titles: Mapping[str, str], profiles: Mapping[str, str]) -> dict[str, Any]:
    first, last = rows.iloc[0], rows.iloc[-1]
    return {
        "anchor": titles.get(first["anchor"], first["anchor"]),
        "profile": profiles.get(first["user"], ""),
        "user": first["user"],
        "gain": last["utility"] - first["utility"],
        "steps": rows[["step", "action", "text", "utility", "valid", "cause"]].to_dict("records"),
    }


def paths(gaps: pd.DataFrame, trajectories: pd.DataFrame) -> list[tuple[str, np.ndarray]]:
    """Return the latent points from anchor to last text of each listed gap."""
    found = []
    for gap in gaps.to_dict("records"):
        match = (
            trajectories["arm"].eq(gap["arm"])
            & trajectories["anchor"].eq(gap["anchor"])
            & trajectories["user"].eq(gap["user"])
        )
        found.append((str(gap["anchor_title"]), np.array(trajectories[match].sort_values("step")["z"].tolist())))
    return found


def encoder_rows(stage: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the encoder's judgement on unseen test items: one row per recipe and baseline, for all users."""
    cold: Mapping[str, Any] = stage["cold"]
    group = next((g for g in cold if g.startswith("test items, all users")), next(iter(cold), None))
    return [{"name": name, **figures} for name, figures in cold[group].items()] if group else []


def group_rows(metrics: Mapping[str, Any], arm: Arm) -> list[dict[str, Any]]:
    """Return the mean gain over the anchor by group of users and anchors."""
    return [
        {"kind": kind.replace("_", " "), "label": str(label).replace("_", " "), **figures}
        for kind, labels in metrics[arm.name]["by_group"].items()
        for label, figures in labels.items()
    ]
