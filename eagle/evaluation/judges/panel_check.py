"""Is the panel worth listening to? Its predictions for items that it has not seen, against the same ratings for
everybody.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from eagle.core.progress import track
from eagle.core.seeding import stream
from eagle.evaluation.judges.base import Texts
from eagle.evaluation.judges.panel import Panel
from eagle.stats.bootstrap import TwoWayBootstrap
from eagle.stats.intervals import NOTHING, Estimate
from eagle.stats.ranking import judged, least_ratings, ordered_pairs, spearman

FOLDS = 4


@dataclass(frozen=True)
class PanelCheck:
    """Per-user ranking of unseen items, averaged over users: of the panel, and of its average rater (not personal)."""

    auc: Estimate
    spearman: Estimate
    auc_average_rater: Estimate
    spearman_average_rater: Estimate
    rmse: float
    """Root mean squared error on unseen items, in stars: the noise that preferences are judged with."""
    users: int
    least_ratings: int
    """How many ratings in one fold a user needed to be judged there."""

    def near_chance(self) -> bool:
        """Return whether its AUC cannot be told from 0.5 (or is below)."""
        return not self.auc.low > 0.5

    def as_dict(self) -> dict[str, object]:
        """Return flat numbers for metrics.json."""
        estimates = {
            "auc": self.auc,
            "spearman": self.spearman,
            "auc_average_rater": self.auc_average_rater,
            "spearman_average_rater": self.spearman_average_rater,
        }
        written: dict[str, object] = {name: estimate.as_dict() for name, estimate in estimates.items()}
        plain = {"users": self.users, "least_ratings": self.least_ratings, "near_chance": self.near_chance()}
        return {**written, "rmse": round(self.rmse, 6), **plain}


def check_panel(ratings: pd.DataFrame, texts: Texts, seed: int, resamples: int, confidence: float) -> PanelCheck:
    """Cross-validate over items: every item's panel rows are predicted by a panel that never saw the item.

    ``ratings`` as for :meth:`Panel.fit`. Intervals are over users.
    """
    rated = ratings[ratings["item"].isin(texts.keys())].reset_index(drop=True)
    items = np.array(sorted(rated["item"].unique()))
    fold_of = dict(zip(items, stream(seed, "panel", "folds").permutation(len(items)) % FOLDS, strict=True))
    folds = rated["item"].map(fold_of).to_numpy()
    personal, average = np.full(len(rated), np.nan), np.full(len(rated), np.nan)
    for fold in track(range(min(FOLDS, len(items))), "judging the panel", unit="fold"):
        if (folds == fold).all():
            continue
        personal[folds == fold], average[folds == fold] = _predict(rated, texts, folds == fold)
    return _summary(rated.assign(personal=personal, average=average, fold=folds).dropna(), seed, resamples, confidence)


def _predict(rated: pd.DataFrame, texts: Texts, held_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    panel = Panel.fit(rated[~held_out], texts)
    asked = rated[held_out]
    items, item = np.unique(asked["item"].to_numpy(str), return_inverse=True)
    users, user = np.unique(asked["user"].to_numpy(str), return_inverse=True)
    columns = [*users, ""]  # no user has the empty name: the average rater
    predicted = panel.matrix([texts[i][0] for i in items], [texts[i][1] for i in items], columns)
    return predicted[item, user], predicted[item, -1]


def _summary(found: pd.DataFrame, seed: int, resamples: int, confidence: float) -> PanelCheck:
    rmse = float(np.sqrt(np.mean((found["rating"] - found["personal"]) ** 2))) if len(found) else float("nan")
    least = least_ratings(found, "fold")
    users, table = _rankings(found)
    if not users:
        return PanelCheck(NOTHING, NOTHING, NOTHING, NOTHING, rmse, 0, least)
    bootstrap = TwoWayBootstrap([""] * len(users), users, resamples, confidence, seed)
    (auc, spearman), (auc_average, spearman_average) = (
        tuple(bootstrap.mean(table[:, who, what]) for what in (0, 1)) for who in (0, 1)
    )
    return PanelCheck(auc, spearman, auc_average, spearman_average, rmse, len(users), least)


def _rankings(found: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    """Return the users who can be judged, and their mean figures over folds (n_users, panel | average rater, auc |
    spearman).

    A figure is of one user within one fold: a user's level in the other folds is low where it is high in this one,
    which would look like skill reversed.
    """
    kept = judged(found, "fold")
    part = kept["number"].to_numpy()
    owner = kept["user"].to_numpy(str)[np.unique(part, return_index=True)[1]]
    users, user = np.unique(owner, return_inverse=True)
    actual = kept["rating"].to_numpy(float)
    predictions = [kept[name].to_numpy(float) for name in ("personal", "average")]
    figures = [[statistic(part, said, actual) for statistic in (ordered_pairs, spearman)] for said in predictions]
    sums = [[np.bincount(user, figure) for figure in both] for both in figures]
    return users.tolist(), np.moveaxis(np.array(sums) / np.bincount(user), 2, 0)
