"""Percentile intervals from resampled users or clusters; :mod:`eagle.stats.bootstrap` resamples anchors and users.

1. :func:`user_interval` is for one number of each user, as the stages before the comparison report them.
2. :func:`cluster_interval` is for a figure that is no mean, such as a correlation: of sums over clusters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

USER_RESAMPLES = 1000
USER_TAIL = 0.025  # below and above a 95% interval


@dataclass(frozen=True)
class Estimate:
    """A mean, or another figure, with its interval; NaN where there is nothing to average, NaN ends where there is
    only one cluster each way.
    """

    mean: float
    low: float
    high: float
    cases: int

    def as_dict(self) -> dict[str, float | None]:
        """Return mean, low and high for JSON, None in place of NaN."""
        return {name: None if math.isnan(value) else round(value, 6) for name, value in self._numbers().items()}

    def _numbers(self) -> dict[str, float]:
        return {"mean": self.mean, "low": self.low, "high": self.high}


NOTHING = Estimate(math.nan, math.nan, math.nan, 0)


def user_interval(
    values: np.ndarray, rng: np.random.Generator, weights: np.ndarray | None = None, root: bool = False
) -> dict[str, Any]:
    """Return mean and 95% interval of per-user ``values`` (n,), resampling users; ``weights`` (n,) make a ratio of
    sums.

    ``root`` takes the square root of the mean (RMSE from mean squared errors).
    """
    weights = np.ones(len(values)) if weights is None else weights
    if len(values) == 0 or weights.sum() == 0:
        return {"value": None, "low": None, "high": None, "users": 0}
    draws = rng.integers(len(values), size=(USER_RESAMPLES, len(values)))
    total = (values * weights)[draws].sum(axis=1) / np.maximum(weights[draws].sum(axis=1), 1e-12)
    mean = float((values * weights).sum() / weights.sum())
    low, high = percentiles(np.sqrt(total) if root else total, USER_TAIL)
    value = float(np.sqrt(mean)) if root else mean
    return {"value": round(value, 4), "low": round(low, 4), "high": round(high, 4), "users": len(values)}


def cluster_interval(
    figure: Callable[[np.ndarray], np.ndarray],
    sums: np.ndarray,
    rng: np.random.Generator,
    resamples: int,
    confidence: float,
) -> Estimate:
    """Return a figure of sums and its interval, resampling clusters; NOTHING where it is not a number, or of one
    cluster.

    ``sums`` (k, n_clusters) hold what each cluster adds to the k sums; ``figure`` maps (k, ...) to (...).
    """
    clusters = sums.shape[1]
    if clusters < 2:
        return NOTHING
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = float(figure(sums.sum(axis=1)))
        drawn = figure(sums @ times_drawn(clusters, resamples, rng).T)
    if not np.isfinite(whole):
        return NOTHING
    return Estimate(whole, *percentiles(drawn[np.isfinite(drawn)], (1 - confidence) / 2), clusters)


def times_drawn(clusters: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each cluster is drawn in each resample, (resamples, clusters)."""
    return rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=resamples).astype(float)


def percentiles(drawn: np.ndarray, tail: float) -> tuple[float, float]:
    """Return what leaves this share of the resamples (n,) below and above; NaN where there are none."""
    if not len(drawn):
        return float("nan"), float("nan")
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)
