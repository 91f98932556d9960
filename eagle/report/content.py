"""Choose and arrange what the page shows. Nothing here is HTML, and every text stays as it was found: the template
escapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eagle.evaluation.arm import Arm, search_of
from eagle.evaluation.comparison import final_rows
from eagle.evaluation.searches import eagle_among, label_at_budgets
from eagle.report.accounts import total_costs
from eagle.report.inputs import Inputs
from eagle.report.words import at_most, ends, number

SAMPLES = 5
ENCODER_GROUP = "test items, all users"
DESIGNS = {"Certified": "certified", "The paper's sampler": "paper"}
"""Reader's name of a solver -> its key in the design stage's figures."""


@dataclass(frozen=True)
class Headline:
    """One figure in large type, and what it is."""

    figure: str
    says: str


@dataclass(frozen=True)
class Fact:
    """One line of the provenance."""

    name: str
    value: str


def headlines(inputs: Inputs, gap_count: int) -> list[Headline]:
    """Return the few figures at the top of the page: what EAGLE wins, and what the run took."""
    if not inputs.trained:
        return [Headline("–", "no EAGLE arm was evaluated")]
    noun, costs = inputs.metrics["cases"].get("noun", "item"), total_costs(inputs.costs)["total"]
    used = f"{costs['peak_memory_mib'] / 1024:.1f} GiB at most, {costs['new_tokens']:,} tokens written"
    return [
        *(_at_equal_budgets(inputs, noun) or _of_best_arm(inputs, noun, gap_count)),
        Headline(f"{costs['seconds'] / 60:.0f} min", f"of computing, {used}"),
    ]


def _at_equal_budgets(inputs: Inputs, noun: str) -> list[Headline]:
    """Return what EAGLE wins with the most texts that it was asked for; nothing where it was not compared so."""
    most, at = at_most(inputs.budgets)
    if "utility_gain" not in at:
        return []
    gain, over, stars = at["utility_gain"], at.get("utility_gain_over_search_random"), at.get("shelf_stars")
    who = label_at_budgets(eagle_among(inputs.budgets["arm"]), inputs.arms)
    found = [
        Headline(
            f"{number(gain['mean'], 2, True)} SD",
            f"gain in utility over the {noun} it started from: {who}, best of {most} texts of one change {ends(gain)}",
        )
    ]
    if over:
        said = f"more than random actions win with as many texts {ends(over)}"
        found.append(Headline(f"{number(over['mean'], 2, True)} SD", said))
    if stars and not pd.isna(stars["mean"]):
        said = f"gain by people's real ratings of hidden {noun}s {ends(stars)}"
        found.append(Headline(f"{number(stars['mean'], 2, True)} stars", said))
    return found


def _of_best_arm(inputs: Inputs, noun: str, gap_count: int) -> list[Headline]:
    """Return figures of the EAGLE arm with the highest utility, or of the search with it where there is one."""
    agent = max(inputs.trained, key=lambda arm: inputs.metrics[arm.name]["utility"]["mean"])
    main = search_of(agent, inputs.arms) or agent
    found = inputs.metrics[main.name]
    gain, beats = found.get("gain_over_anchor", {}), found["beats_anchor"]["mean"]
    return [
        Headline(
            f"{number(gain.get('mean'), 2, True)} SD",
            f"{main.label}: gain over the {noun} it started from {ends(gain)}",
        ),
        Headline(f"{number(100 * (beats or 0), 0)}%", f"of its texts beat the existing {noun} they started from"),
        Headline(
            f"{gap_count:,}", "texts that beat their starting point and their user's average item, over all EAGLE rows"
        ),
    ]


def budget_labels(table: pd.DataFrame, arms: Sequence[Arm]) -> dict[str, str]:
    """Return what a reader calls the methods of reports/budget.csv, by name; ``arms`` are those of the run."""
    return {name: label_at_budgets(name, arms) for name in dict.fromkeys(table["arm"])}


BUDGET_COLUMNS = {
    "utility_gain": "gain in U, SD",
    "user_choice": "panel prefers",
    "shelf_stars": "hidden shelf, stars",
    "shelf_personal": "its personal part",
    "found": "found",
}
"""Columns of the page's table at equal budgets."""


def budget_rows(table: pd.DataFrame, arms: Sequence[Arm]) -> list[dict[str, Any]]:
    """Return one row per arm at the smallest and the largest budget, and what EAGLE is ahead of the arm by."""
    rows: list[dict[str, Any]] = []
    eagle = eagle_among(table["arm"])
    for budget in sorted({table["budget"].min(), table["budget"].max()}) if len(table) else []:
        at = table[table["budget"] == budget].set_index(["arm", "metric"])[["mean", "low", "high"]]
        found = at.to_dict("index")
        for arm, label in budget_labels(table, arms).items():
            cells = {metric: found.get((arm, metric)) for metric in BUDGET_COLUMNS}
            ahead = found.get((eagle, f"utility_gain_over_{arm}"))
            rows.append({"name": label, "main": arm == eagle, "budget": budget, "ahead": ahead, **cells})
    return rows


def records(table: pd.DataFrame, arms: Sequence[Arm]) -> list[dict[str, Any]]:
    """Return a table as rows for the template: None for NaN; ``name`` is the arm's label and ``kind`` its kind."""
    of_name = {arm.name: arm for arm in arms}
    run = [of_name[name] for name in table["arm"]]
    named = table.assign(name=[arm.label for arm in run], kind=[arm.kind for arm in run])
    return [
        {str(k): None if not isinstance(v, list) and pd.isna(v) else v for k, v in row.items()}
        for row in named.to_dict("records")
    ]


def samples(inputs: Inputs, arm: Arm) -> dict[str, list[dict[str, Any]]]:
    """Return whole episodes of an arm: the typical ones, the worst ones, and steps that failed; none is chosen by hand.

    typical: around the median gain. worst: lowest gain. failed: the first failed steps in case order.
    """
    rows = inputs.trajectories[inputs.trajectories["arm"] == arm.name].sort_values(["case", "step"])
    start = rows[rows["step"] == 0].set_index("case")["utility"]
    final = final_rows(rows).set_index("case")
    order = (final["utility"] - start).sort_values(kind="stable").index.to_numpy()
    middle = max(0, len(order) // 2 - SAMPLES // 2)
    failed = rows.loc[~rows["valid"].astype(bool), "case"].drop_duplicates().head(SAMPLES).to_numpy()
    chosen = {"typical": order[middle : middle + SAMPLES], "worst": order[:SAMPLES], "failed": failed}
    return {kind: [_episode(rows[rows["case"] == case], inputs) for case in cases] for kind, cases in chosen.items()}


def _episode(rows: pd.DataFrame, inputs: Inputs) -> dict[str, Any]:
    first, last = rows.iloc[0], rows.iloc[-1]
    return {
        "anchor": inputs.titles.get(first["anchor"], first["anchor"]),
        "profile": inputs.profiles.get(first["user"], ""),
        "user": first["user"],
        "gain": last["utility"] - first["utility"],
        "steps": rows[["step", "action", "text", "utility", "valid", "cause"]].to_dict("records"),
    }


def paths(gaps: pd.DataFrame, trajectories: pd.DataFrame) -> list[np.ndarray]:
    """Return the latent points (steps, d) from anchor to last text of each listed gap."""
    found = []
    for gap in gaps.to_dict("records"):
        match = (
            trajectories["arm"].eq(gap["arm"])
            & trajectories["anchor"].eq(gap["anchor"])
            & trajectories["user"].eq(gap["user"])
        )
        found.append(np.array(trajectories[match].sort_values("step")["z"].tolist()))
    return found


def encoder_group(inputs: Inputs) -> str:
    """Return the group of ratings on which the encoder is shown: unseen test items, all users; "" where it has none."""
    return next((group for group in inputs.stages["encoder"]["cold"] if group.startswith(ENCODER_GROUP)), "")


def encoder_rows(inputs: Inputs) -> list[dict[str, Any]]:
    """Return the encoder's judgement on that group, or on its first: one row per recipe and baseline."""
    cold: Mapping[str, Any] = inputs.stages["encoder"]["cold"]
    group = encoder_group(inputs) or next(iter(cold), None)
    return [{"name": name, **figures} for name, figures in cold[group].items()] if group else []


def group_rows(metrics: Mapping[str, Any], arm: Arm) -> list[dict[str, Any]]:
    """Return the mean gain over the anchor by group of users and anchors."""
    return [
        {"kind": kind.replace("_", " "), "label": str(label).replace("_", " "), **figures}
        for kind, labels in metrics[arm.name]["by_group"].items()
        for label, figures in labels.items()
    ]


def design_rows(inputs: Inputs) -> list[dict[str, Any]]:
    """Return one row per solver of the exploration design."""
    found = inputs.stages["design"]
    return [{"name": name, **found[key]} for name, key in DESIGNS.items()]


def design_anchors(inputs: Inputs) -> list[dict[str, Any]]:
    """Return one row per anchor: what each solver found there."""
    anchors = inputs.stages["design"].get("anchors", {})
    return [{"title": inputs.titles.get(anchor, anchor), **found} for anchor, found in anchors.items()]


def provenance(inputs: Inputs) -> list[Fact]:
    """Return the hashes of the data and of all inputs of the evaluation."""
    files = [Fact(f"data: {name}", f"sha256 {digest}") for name, digest in inputs.source.get("files", {}).items()]
    used = inputs.metrics.get("inputs", {})
    return [*files, *(Fact(name.replace("_", " "), str(value)) for name, value in used.items())]
