"""How well predictions rank and fit held-out ratings, per user, with intervals from resampled users."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

MIN_RATINGS = 5  # held-out ratings below which a user's ranking figure is mostly noise [O]
RESAMPLES = 1000


def interval(values: np.ndarray, rng: np.random.Generator, weights: np.ndarray | None = None, root: bool = False) -> dict[str, Any]:
    """Return mean and 95% interval of per-user ``values`` (n,), resampling users; ``weights`` (n,) make a ratio of sums.

    ``root`` takes the square root of the mean (RMSE from mean squared errors).
    """
    weights = np.ones(len(values)) if weights is None else weights
    if len(values) == 0 or weights.sum() == 0:
        return {"value": None, "low": None, "high": None, "users": 0}
    draws = rng.integers(len(values), size=(RESAMPLES, len(values)))
    total = (values * weights)[draws].sum(axis=1) / np.maximum(weights[draws].sum(axis=1), 1e-12)
    mean = float((values * weights).sum() / weights.sum())
    spread = np.sqrt(total) if root else total
    low, high = np.quantile(spread, [0.025, 0.975])
    value = float(np.sqrt(mean)) if root else mean
    return {"value": round(value, 4), "low": round(float(low), 4), "high": round(float(high), 4), "users": len(values)}


def rmse(users: pd.Series, errors: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Root mean squared error in stars over rows, its interval from resampled users."""
    grouped = pd.DataFrame({"user": users.to_numpy(), "square": errors**2}).groupby("user")["square"]
    return interval(grouped.mean().to_numpy(), rng, grouped.size().to_numpy(float), root=True)


def spearman(predicted: np.ndarray, actual: np.ndarray) -> float:
    """Spearman rank correlation with average ranks; 0 where the prediction is constant, NaN where the truth is."""
    a, b = rankdata(predicted), rankdata(actual)
    a, b = a - a.mean(), b - b.mean()
    if not b.any():
        return float("nan")
    return float(a @ b / np.sqrt((a @ a) * (b @ b))) if a.any() else 0.0


def ordered_pairs(predicted: np.ndarray, actual: np.ndarray) -> float:
    """AUC over pairs of items with different ratings: the share ordered right, prediction ties counting half; NaN without such pairs."""
    higher = actual[:, None] > actual[None, :]
    if not higher.any():
        return float("nan")
    gap = predicted[:, None] - predicted[None, :]
    return float(((gap > 0) + 0.5 * (gap == 0))[higher].mean())


def ranking(rows: pd.DataFrame, predicted: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Judge ``predicted`` (n,) for ``rows`` (user, rating): mean per-user Spearman rho and AUC with intervals."""
    rho, auc = [], []
    ordered = rows.assign(predicted=predicted)
    for _, group in ordered.groupby("user", sort=True):
        actual = group["rating"].to_numpy(float)
        if len(group) < MIN_RATINGS or np.ptp(actual) == 0:
            continue
        guess = group["predicted"].to_numpy(float)
        rho.append(spearman(guess, actual))
        auc.append(ordered_pairs(guess, actual))
    return {"rho": interval(np.array(rho), rng), "auc": interval(np.array(auc), rng)}
