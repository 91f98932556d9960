"""The figures of the report: each takes tables and returns one <svg> element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

from eagle.evaluation.arm import Arm
from eagle.evaluation.searches import eagle_among
from eagle.latent.space import LatentSpace
from eagle.report.svg import ACCENT, FILL, INK, LINE, QUIET, STYLE, WARM, new_figure, to_svg

COLOURS = {"eagle": ACCENT, "reference": WARM}
"""By kind of arm: EAGLE stands out, references are warm, the rest quiet."""


def colour(arm: Arm) -> str:
    """Colour of an arm."""
    return COLOURS.get(arm.kind, QUIET)


def forest(table: pd.DataFrame, arms: Sequence[Arm]) -> str:
    """Mean final U of every arm with its interval, and each arm's gain over the linear rule at equal H."""
    figure, (left, right) = new_figure(9.4, 0.36 * len(table) + 0.9, 1, 2)
    rows = np.arange(len(table))[::-1]
    of_name = {arm.name: arm for arm in arms}
    with matplotlib.rc_context(STYLE):
        for axis, column, title in (
            (left, "utility", "Final utility U (SD)"),
            (right, "gain_over_linear", "Difference from the linear rule at equal H (SD)"),
        ):
            for y, (_, row) in zip(rows, table.iterrows(), strict=True):
                if pd.isna(row[column]):
                    continue
                axis.plot(
                    [row[f"{column}_low"], row[f"{column}_high"]],
                    [y, y],
                    color=colour(of_name[row["arm"]]),
                    linewidth=2,
                    alpha=0.5,
                )
                axis.plot(row[column], y, "o", color=colour(of_name[row["arm"]]), markersize=5.5)
            axis.axvline(0, color=LINE, linewidth=1, zorder=0)
            axis.set_title(title)
            axis.set_ylim(-0.7, len(table) - 0.3)
            axis.grid(axis="y", visible=False)
        left.set_yticks(rows, [of_name[name].label for name in table["arm"]])
        right.set_yticks(rows, [""] * len(table))
    return to_svg(
        figure, "forest", "Mean final utility of every arm with intervals, and its difference from the linear rule"
    )


def steps(by_arm: Mapping[Arm, Sequence[Mapping[str, float | None]]]) -> str:
    """Mean U after each change, one line per arm."""
    figure, (axis,) = new_figure(9.4, 3.4)
    with matplotlib.rc_context(STYLE):
        ends: list[tuple[float, Arm]] = []
        for arm, estimates in by_arm.items():
            means = [np.nan if e["mean"] is None else e["mean"] for e in estimates]
            style = {"linewidth": 2.4} if arm.is_main else {"linewidth": 1.2, "alpha": 0.8}
            size = 4 if arm.is_main else 2.5
            axis.plot(range(len(means)), means, color=colour(arm), marker="o", markersize=size, **style)
            ends.append((float(means[-1] or 0), arm))
        last = max((len(e) for e in by_arm.values()), default=1) - 1
        gap = 0.055 * max(np.ptp([e[0] for e in ends]), 0.3)
        place = -np.inf
        for value, arm in sorted(ends, key=lambda end: (end[0], end[1].name)):
            place = max(value, place + gap)
            axis.annotate(arm.label, (last, place), (6, -3), textcoords="offset points", color=colour(arm), fontsize=8)
        axis.set_xlim(-0.1, last * 1.28 + 0.3)
        axis.set_xticks(range(last + 1))
        axis.set_xlabel("changes made to the anchor")
        axis.set_title("Mean utility after each change (SD)")
    return to_svg(figure, "steps", "Mean utility after each change, one line per arm")


BUDGET_FIGURES = {
    "utility_gain": "Gain in U over the anchor (SD)",
    "user_choice": "Share of texts that the panel prefers",
    "shelf_stars": "Hidden shelf: gain (stars)",
}
"""What the budget curves show, where it was measured."""


def budgets(table: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """What each method wins over budgets, one line per arm; ``table`` as reports/budget.csv, ``labels`` by arm."""
    known = set(table.loc[table["mean"].notna(), "metric"])
    shown = {metric: title for metric, title in BUDGET_FIGURES.items() if metric in known}
    place = {budget: number for number, budget in enumerate(sorted(table["budget"].unique()))}
    figure, axes = new_figure(9.4, 3.2, 1, max(1, len(shown)))
    marks = dict(zip(labels, "osD^vPX*<>", strict=False))
    with matplotlib.rc_context(STYLE):
        for axis, (metric, title) in zip(axes, shown.items(), strict=False):
            for arm, label in labels.items():
                mine = table[(table["arm"] == arm) & (table["metric"] == metric)].sort_values("budget")
                main = arm == eagle_among(labels)
                style = {"color": ACCENT if main else QUIET, "linewidth": 2.2 if main else 1, "label": label}
                axis.plot(mine["budget"].map(place), mine["mean"], marker=marks.get(arm, "o"), markersize=4, **style)
                if main:
                    axis.fill_between(mine["budget"].map(place), mine["low"], mine["high"], color=FILL, zorder=0)
            axis.set_xticks(list(place.values()), [str(budget) for budget in place])
            axis.set_xlabel("texts per case")
            axis.set_title(title)
        axes[0].legend(fontsize=7)
    return to_svg(figure, "budgets", "What each method wins over budgets, with the interval of EAGLE")


def curves(table: pd.DataFrame, name: str, wanted: Sequence[str], label: str) -> str:
    """Small multiples of a learning curve's columns over updates."""
    columns = [c for c in wanted if c in table and pd.api.types.is_numeric_dtype(table[c]) and table[c].notna().any()]
    across = 4
    down = max(1, -(-len(columns) // across))
    figure, axes = new_figure(9.4, 1.75 * down, down, across)
    with matplotlib.rc_context(STYLE):
        for axis in axes[len(columns) :]:
            axis.set_visible(False)
        for axis, column in zip(axes, columns, strict=False):
            values = table[["update", column]].dropna()
            axis.plot(values["update"], values[column], color=LINE, linewidth=1)
            smooth = values[column].rolling(max(1, len(values) // 8), min_periods=1, center=True).mean()
            axis.plot(values["update"], smooth, color=ACCENT, linewidth=1.6)
            axis.set_title(column.replace("_", " "))
            axis.tick_params(labelsize=7)
    return to_svg(figure, name, label)


def latent_map(latent: LatentSpace, paths: Sequence[np.ndarray]) -> str:
    """The encoded catalogue on its two main directions, with trajectories (steps, d) from anchor to
    last text.
    """
    centre = latent.item_vectors.mean(axis=0)
    _, spread, directions = np.linalg.svd(latent.item_vectors - centre, full_matrices=False)
    directions = directions[:2] * np.sign(
        directions[:2].sum(axis=1, keepdims=True) + 1e-12
    )  # the sign is arbitrary: fix it
    points = (latent.item_vectors - centre) @ directions.T
    share = spread[:2] ** 2 / max(float((spread**2).sum()), 1e-12)
    figure, (axis,) = new_figure(9.4, 5.2)
    with matplotlib.rc_context(STYLE):
        axis.scatter(points[:, 0], points[:, -1], s=6, color="#b9c4ca", linewidths=0, alpha=0.6)
        for number, path in enumerate(paths, start=1):
            flat = (path - centre) @ directions.T
            axis.plot(flat[:, 0], flat[:, -1], color=ACCENT, linewidth=1.4)
            axis.plot(flat[0, 0], flat[0, -1], "o", color="white", markeredgecolor=ACCENT, markersize=6)
            axis.plot(flat[-1, 0], flat[-1, -1], "o", color=ACCENT, markersize=10)
            axis.annotate(
                str(number), (flat[-1, 0], flat[-1, -1]), ha="center", va="center_baseline", color="white", fontsize=7
            )
        axis.set_xlabel(f"first main direction ({share[0]:.0%} of the spread)")
        axis.set_ylabel(f"second ({share[-1]:.0%})")
    return to_svg(figure, "map", "Latent map of the catalogue with the trajectories of the best gaps")


def design(weights: pd.DataFrame, top: int = 18) -> str:
    """Mean design weight of the actions that the G-optimal design uses most, over anchors."""
    anchors = weights["anchor"].nunique()
    mean = (
        weights.groupby("action")["weight"]
        .sum()
        .div(anchors)
        .sort_values(ascending=False, kind="stable")
        .head(top)[::-1]
    )
    used = weights[weights["weight"] > 0].groupby("action")["anchor"].nunique()
    figure, (axis,) = new_figure(9.4, 0.23 * len(mean) + 0.7)
    with matplotlib.rc_context(STYLE):
        axis.barh(range(len(mean)), mean.to_numpy(), color=FILL, edgecolor=ACCENT, linewidth=0.8, height=0.7)
        for y, (action, value) in enumerate(mean.items()):
            axis.annotate(
                f"{used.get(action, 0)}/{anchors}",
                (value, y),
                (4, -3),
                textcoords="offset points",
                fontsize=7,
                color=QUIET,
            )
        axis.set_yticks(range(len(mean)), [str(action)[:80] for action in mean.index])
        axis.set_title("Mean design weight, and in how many anchors' support")
        axis.grid(axis="y", visible=False)
    return to_svg(figure, "design", "Mean design weight of the most used actions")


def costs(stages: Sequence[Mapping[str, Any]]) -> str:
    """Seconds per stage."""
    figure, (axis,) = new_figure(9.4, 0.24 * max(len(stages), 1) + 0.6)
    with matplotlib.rc_context(STYLE):
        rows = range(len(stages))[::-1]
        axis.barh(
            list(rows), [stage["seconds"] for stage in stages], color=FILL, edgecolor=ACCENT, linewidth=0.8, height=0.7
        )
        axis.set_yticks(list(rows), [stage["stage"] for stage in stages])
        axis.set_title("Seconds per stage", color=INK)
        axis.grid(axis="y", visible=False)
    return to_svg(figure, "costs", "Seconds per stage")


def update_times(updates: Sequence[Mapping[str, Any]], name: str) -> str:
    """Seconds of every training update, one area per part of it."""
    table = pd.DataFrame(updates).set_index("update").fillna(0.0)
    figure, (axis,) = new_figure(9.4, 2.2)
    with matplotlib.rc_context(STYLE):
        shades = [ACCENT, WARM, FILL, QUIET, LINE]
        axis.stackplot(table.index, table.T.to_numpy(), labels=list(table), colors=shades[: table.shape[1]], step="mid")
        axis.legend(loc="upper right", fontsize=7, frameon=False, ncols=table.shape[1])
        axis.set_xlabel("update")
        axis.set_title("Seconds per update", color=INK)
    return to_svg(figure, name, "Seconds of every training update by part")
