"""Draw the page's figures from what the report read: which data goes into which figure, under which heading."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from eagle.evaluation.arm import ANCHOR, LINEAR_ONCE
from eagle.report import figures
from eagle.report.content import budget_labels, paths
from eagle.report.inputs import Inputs

PATHS_SHOWN = 8
TRAINING_CURVE = (
    "utility", "gain", "validation_utility", "validation_gain", "kl", "entropy", "information", "distinct_actions",
    "valid_share", "listed_mass", "reward", "set_utility", "set_gain", "length", "duplicate_rate", "no_op_rate",
    "copy_rate", "failure_rate",
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A figure with its heading; only our own SVG is exempt from escaping."""

    name: str
    svg: Markup


def fixed(inputs: Inputs, gaps: pd.DataFrame) -> dict[str, Markup]:
    """Return the figures that every page has, by their place; ``gaps`` are those that the page lists."""
    table = inputs.tables["table2"]
    by_step = {
        arm: list(inputs.metrics[arm.name]["utility_by_step"].values())
        for arm in inputs.arms
        if arm.name not in (ANCHOR, LINEAR_ONCE)  # one is a point, the other the beginning of another line
    }
    found = {
        "forest": figures.forest(table, inputs.arms),
        "steps": figures.steps(by_step),
        "map": figures.latent_map(inputs.latent, paths(gaps.head(PATHS_SHOWN), inputs.trajectories)),
        "design": figures.design(inputs.weights),
        "costs": figures.costs(inputs.costs),
    }
    if len(inputs.budgets):
        found["budgets"] = figures.budgets(inputs.budgets, budget_labels(inputs.budgets, inputs.arms))
    return {name: Markup(svg) for name, svg in found.items()}


def curves(inputs: Inputs) -> list[Picture]:
    """Return the learning curves: training, where its time went, and all references together."""
    of_curve = {arm.curve: arm for arm in inputs.arms if arm.curve in inputs.curves}
    learned = [(of_curve[name], name, table) for name, table in inputs.curves.items() if name in of_curve]
    shown = [
        Picture(f"Training of {arm.label}", Markup(figures.curves(table, f"curve-{name}", TRAINING_CURVE, name)))
        for arm, name, table in learned
        if arm.is_main
    ]
    updates = {cost["stage"]: cost["updates"] for cost in inputs.costs if cost.get("updates")}
    shown += [
        Picture(
            f"Where the time of training {arm.label} went",
            Markup(figures.update_times(updates[f"train@{arm.start}"], f"times-{arm.start}")),
        )
        for arm in inputs.trained
        if f"train@{arm.start}" in updates
    ]
    losses = {arm.label: table.set_index("update")["loss"] for arm, _, table in learned if arm.kind == "reference"}
    if losses:
        together = pd.DataFrame(losses).rename_axis("update").reset_index()
        title = "References: cross-entropy to their target (nats)"
        shown.append(Picture(title, Markup(figures.curves(together, "curve-references", list(losses), title))))
    return shown
