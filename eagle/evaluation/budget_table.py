"""What every method wins at each budget, as reports/budget.csv: one row per arm, budget and figure, with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import pandas as pd

from eagle.evaluation.confirmed import confirmed
from eagle.evaluation.searches import MEANS, SEARCH_EAGLE
from eagle.stats.bootstrap import TwoWayBootstrap
from eagle.stats.intervals import Estimate

GAINS = ("utility", "preference_stars")
"""Figures of a text that are told as gains over the anchor's own text."""
PROMISED, CONFIRMING = "preference_stars_gain", "shelf_stars"
"""What U promises in stars, and what real ratings say of it."""
COLUMNS = ["arm", "budget", "metric", "mean", "low", "high", "cases"]


@dataclass(frozen=True)
class BudgetTable:
    """Estimates over the cases of the comparison."""

    bootstrap: TwoWayBootstrap
    """Over the cases, in their order."""
    judged: Sequence[str]
    """Columns that judges and gates give."""
    means: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Further arms by name, each the mean of some others case by case: over training seeds. So an interval covers the
    choice of cases alone."""

    def of(self, answers: pd.DataFrame, anchors: pd.DataFrame) -> pd.DataFrame:
        """Return the table of ``answers``, whose rows have :data:`GAINS`, found and the judges' columns.

        ``anchors``: the same gains' columns of the anchors' own texts, one row per case, in the order of the cases.
        """
        rows = []
        for budget, at_budget in answers.groupby("budget", sort=True):
            figures = {str(arm): self._figures(mine, anchors) for arm, mine in at_budget.groupby("arm", sort=False)}
            figures |= {mean: _mean([figures[arm] for arm in arms]) for mean, arms in self.means.items()}
            for arm, own in figures.items():
                rows += [self._row(arm, budget, name, self.bootstrap.mean(values)) for name, values in own.items()]
                rows += [self._row(arm, budget, *one) for one in self._compared(arm, figures)]
                if PROMISED in own and CONFIRMING in own:
                    share = confirmed(own[PROMISED], own[CONFIRMING], self.bootstrap)
                    rows.append(self._row(arm, budget, "confirmed_share", share))
        return pd.DataFrame(rows, columns=COLUMNS).round(6)

    def _figures(self, mine: pd.DataFrame, anchors: pd.DataFrame) -> dict[str, np.ndarray]:
        ordered = mine.sort_values("case").reset_index(drop=True)
        found = {
            f"{name}_gain": ordered[name].to_numpy(float) - anchors[name].to_numpy(float)
            for name in GAINS
            if name in ordered
        }
        found |= {"found": ordered["found"].to_numpy(float)}
        return found | {name: ordered[name].to_numpy(float) for name in self.judged if name in ordered}

    def _compared(self, arm: str, figures: dict[str, dict[str, np.ndarray]]) -> Iterator[tuple[str, Estimate]]:
        """What EAGLE is ahead of each other method by, case by case; a mean over seeds is compared with means, and
        with what has none.
        """
        if arm not in (SEARCH_EAGLE, MEANS[SEARCH_EAGLE]):
            return
        left = {arm, *(chain(*self.means.values()) if arm in self.means else self.means)}
        for other, theirs in figures.items():
            for name, values in figures[arm].items():
                if other not in left and name != "found":
                    yield f"{name}_over_{other}", self.bootstrap.mean(values - theirs[name])

    @staticmethod
    def _row(arm: str, budget: object, metric: str, found: Estimate) -> list[object]:
        return [arm, budget, metric, found.mean, found.low, found.high, found.cases]


def _mean(figures: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the mean of some arms' figures, case by case."""
    return {name: np.mean([own[name] for own in figures], axis=0) for name in figures[0]}
