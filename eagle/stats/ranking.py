"""How well predictions rank and fit ratings within users: Spearman's rho and AUC, and root mean squared errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from eagle.stats.intervals import user_interval

MIN_RATINGS = 5  # held-out ratings below which a user's ranking figure is mostly noise [O]
MIN_PEOPLE = 50  # so many noisy figures say more than a few sharp ones [O]


def rmse(users: pd.Series, errors: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Root mean squared error in stars over rows, its interval from resampled users."""
    grouped = pd.DataFrame({"user": users.to_numpy(), "square": errors**2}).groupby("user")["square"]
    return user_interval(grouped.mean().to_numpy(), rng, grouped.size().to_numpy(float), root=True)


def centred(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return ``values`` (n,) less the mean of their group; ``groups`` (n,) are numbers from 0."""
    mean = np.bincount(groups, values) / np.maximum(np.bincount(groups), 1)
    apart: np.ndarray = values - mean[groups]
    return apart


def _ranks(users: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return each value's average rank among its user's values, less the mean of those ranks: (n,)."""
    return centred(users, pd.Series(values).groupby(users).rank().to_numpy())


def spearman(users: np.ndarray, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Return every user's Spearman rho (n_users,) with average ranks; rows (n,) carry user numbers 0 .. n_users - 1.

    0 where the prediction is constant, NaN where the truth is.
    """
    n = int(users.max()) + 1 if len(users) else 0
    a, b = _ranks(users, predicted), _ranks(users, actual)
    spread = np.sqrt(np.bincount(users, a * a, n) * np.bincount(users, b * b, n))
    rho = np.bincount(users, a * b, n) / np.where(spread > 0, spread, 1.0)
    rho[np.bincount(users, b * b, n) == 0] = np.nan
    return rho


def ordered_pairs(users: np.ndarray, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Return every user's AUC (n_users,) over pairs of items with different ratings: the share ordered right, ties
    counting half.

    NaN for users without such pairs.
    """
    order = np.argsort(users, kind="stable")
    cuts = np.flatnonzero(np.diff(users[order])) + 1
    found = []
    for rows in np.split(order, cuts) if len(users) else []:
        higher = actual[rows, None] > actual[None, rows]
        gap = np.sign(predicted[rows, None] - predicted[None, rows])
        pairs = higher.sum()
        found.append((gap[higher].sum() / pairs + 1) / 2 if pairs else np.nan)
    return np.array(found)


def least_ratings(rows: pd.DataFrame, *within: str) -> int:
    """Return how many held-out ratings a user needs to be judged: MIN_RATINGS, or fewer (2 at least) where that leaves
    fewer than MIN_PEOPLE. With the name of a column, so many that share its value.

    A sparse catalogue has thousands of people with two ratings of unseen items, and hardly one with five.
    """
    return _least(_comparable(rows, within))


def _comparable(rows: pd.DataFrame, within: Sequence[str] = ()) -> pd.Series:
    """Return every user's number of ratings, 0 where all are equal; by user, and by the columns ``within``."""
    found = rows.groupby(["user", *within])["rating"].agg(["size", "min", "max"])
    return found["size"].where(found["min"] < found["max"], 0)


def _least(counts: pd.Series) -> int:
    users = counts.index.get_level_values("user")
    enough = (least for least in range(MIN_RATINGS, 2, -1) if users[counts >= least].nunique() >= MIN_PEOPLE)
    return next(enough, 2)


def judged(rows: pd.DataFrame, *within: str) -> pd.DataFrame:
    """Keep the rows of users with enough, and not all equal, ratings, and number those users (column ``number``).

    With ``within`` a user is judged anew for each value of that column, and each of these has a number.
    """
    counts, keys = _comparable(rows, within), ["user", *within]
    enough = counts.index[counts >= _least(counts)]
    kept = rows[rows.set_index(keys).index.isin(enough)]
    return kept.assign(number=kept.groupby(keys).ngroup())


def ranking(rows: pd.DataFrame, predicted: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Judge ``predicted`` (n,) for ``rows`` (user, rating): mean per-user Spearman rho and AUC with intervals."""
    kept = judged(rows.assign(predicted=predicted))
    table = (kept["number"].to_numpy(), kept["predicted"].to_numpy(float), kept["rating"].to_numpy(float))
    return {"rho": user_interval(spearman(*table), rng), "auc": user_interval(ordered_pairs(*table), rng)}


def ranking_difference(
    rows: pd.DataFrame, first: np.ndarray, second: np.ndarray, rng: np.random.Generator
) -> dict[str, Any]:
    """Mean per-user difference first - second of rho and AUC, paired by user, with intervals."""
    kept = judged(rows.assign(first=first, second=second))
    number, actual = kept["number"].to_numpy(), kept["rating"].to_numpy(float)
    a, b = kept["first"].to_numpy(float), kept["second"].to_numpy(float)
    return {
        "rho": user_interval(spearman(number, a, actual) - spearman(number, b, actual), rng),
        "auc": user_interval(ordered_pairs(number, a, actual) - ordered_pairs(number, b, actual), rng),
    }
