"""Means over cases that share anchors and users, with intervals from resampling both.

1. Anchors and users are drawn with replacement, independently of each other; a case counts as often as its anchor was
   drawn times as often as its user was drawn (Owen, "The pigeonhole bootstrap", 2007). For crossed cases this errs on
   the wide side.
2. The paper gives "+-" without saying of what [P Table 2]; here every interval of an arm is a percentile interval of
   this bootstrap.
3. All estimates of one run share their resamples, so a difference of two arms is resampled as a pair.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from eagle.core.errors import user_error
from eagle.core.seeding import stream
from eagle.stats.intervals import NOTHING, Estimate, percentiles, times_drawn


@dataclass(frozen=True)
class TwoWayBootstrap:
    """Resampler for values of cases; ``anchors`` and ``users`` name the two clusters of each case, (n_cases,) each."""

    anchors: Sequence[str]
    users: Sequence[str]
    resamples: int
    confidence: float
    seed: int

    def __post_init__(self) -> None:
        if len(self.anchors) != len(self.users) or not len(self.anchors):
            raise user_error(
                "the bootstrap needs one anchor and one user per case",
                found=f"{len(self.anchors)} anchors, {len(self.users)} users",
            )

    @cached_property
    def _codes(self) -> tuple[np.ndarray, np.ndarray]:
        return tuple(
            np.unique(np.asarray(names, dtype=str), return_inverse=True)[1] for names in (self.anchors, self.users)
        )  # type: ignore[return-value]

    @cached_property
    def draws(self) -> tuple[np.ndarray, np.ndarray]:
        """How often each anchor (resamples, n_anchors) and each user (resamples, n_users) is drawn."""
        drawn = []
        for name, codes in zip(("anchors", "users"), self._codes, strict=True):
            count = int(codes.max()) + 1
            drawn.append(times_drawn(count, self.resamples, stream(self.seed, "bootstrap", name)))
        return drawn[0], drawn[1]

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """Weighted sum of ``values`` (n_cases,) in every resample (resamples,)."""
        anchor, user = self._codes
        by_anchor, by_user = self.draws
        table = np.zeros((by_anchor.shape[1], by_user.shape[1]))
        np.add.at(table, (anchor, user), values)
        sums: np.ndarray = np.einsum("ru,ru->r", by_anchor @ table, by_user)
        return sums

    def mean(self, values: Sequence[float] | np.ndarray, where: np.ndarray | None = None) -> Estimate:
        """Return the mean over cases and its interval.

        Parameters
        ----------
        values: (n_cases,) numbers; NaN is a case without a value and is left out.
        where: (n_cases,) bool; only these cases count.
        """
        numbers = np.asarray(values, dtype=float)
        if numbers.shape != (len(self.anchors),):
            raise ValueError(f"expected {len(self.anchors)} values, found shape {numbers.shape}")
        known = np.isfinite(numbers) if where is None else np.isfinite(numbers) & np.asarray(where, dtype=bool)
        if not known.any():
            return NOTHING
        centre = float(numbers[known].mean())
        if self._alone(known):
            return Estimate(centre, math.nan, math.nan, int(known.sum()))
        return self._interval(centre, self._means(numbers, known), int(known.sum()))

    def standard_error(self, values: Sequence[float] | np.ndarray) -> float:
        """Return the standard error of the mean over cases; NaN where there is only one cluster each way."""
        numbers = np.asarray(values, dtype=float)
        known = np.isfinite(numbers)
        return math.nan if self._alone(known) else float(self._means(numbers, known).std())

    def _alone(self, known: np.ndarray) -> bool:
        return max(np.unique(codes[known]).size for codes in self._codes) < 2

    def _means(self, numbers: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Means over the known cases in all resamples that draw one."""
        centre = float(numbers[known].mean())
        weights = self._sums(known.astype(float))
        drawn = weights > 0
        # centred values: a constant then has an interval of exactly zero width
        means: np.ndarray = centre + self._sums(np.where(known, numbers - centre, 0.0))[drawn] / weights[drawn]
        return means

    def _interval(self, centre: float, drawn: np.ndarray, cases: int) -> Estimate:
        return Estimate(centre, *percentiles(drawn, (1 - self.confidence) / 2), cases)

    def ratio(self, numerator: np.ndarray, denominator: np.ndarray) -> Estimate:
        """Return the mean of one value over the mean of another, over cases that have both, and its interval.

        NaN where the second mean is not above 0; NaN ends where it cannot be told from 0, for then neither can the
        ratio be told from any.
        """
        above, below = np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float)
        known = np.isfinite(above) & np.isfinite(below)
        if not known.any() or not below[known].mean() > 0:
            return replace(NOTHING, cases=int(known.sum()))
        centre = float(above[known].mean() / below[known].mean())
        if self._alone(known):
            return Estimate(centre, math.nan, math.nan, int(known.sum()))
        means = self._means(below, known)
        if np.mean(means <= 0) > (1 - self.confidence) / 2:
            return Estimate(centre, math.nan, math.nan, int(known.sum()))
        return self._interval(centre, (self._means(above, known) / means)[means > 0], int(known.sum()))

    def difference(self, first: np.ndarray, second: np.ndarray, where: np.ndarray | None = None) -> Estimate:
        """Return the mean paired difference ``first - second`` over cases in which both have a value."""
        return self.mean(np.asarray(first, dtype=float) - np.asarray(second, dtype=float), where)
