"""Ratings that may be none: codes for "not rated", and slips of the pen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eagle.data.columns.rows import listed, number_of, share

CODES = (0.0, -1.0, -9.0, -99.0, -999.0, 99.0, 999.0, 9999.0)
"""Numbers that files use for "not rated"."""
FREQUENT = 0.05
"""Share of the ratings from which a far value is no slip of the pen [ours]."""
FAR = 3.0
"""Gap to the next value, in usual steps between values, from which a value is far from all others [ours]."""
MORE_OFTEN = 2.0
"""How much more often than its neighbour a usual code stands, where it is suspected without a gap [ours]."""
ZERO_MORE_OFTEN = 4.0
"""How much more often than its neighbour zero stands, where it is suspected though others are more frequent [ours]."""
LEVELS = 4
"""Different ratings that it takes to say that another lies far from them [ours]."""


@dataclass(frozen=True)
class Suspect:
    """A value that looks like a code for "not rated"."""

    value: float
    count: int
    of: int
    low: float
    """Lowest and highest of the other ratings."""
    high: float
    why: str

    def __str__(self) -> str:
        return (
            f"{self.value:g} looks like a code for 'not rated': {share(self.count, self.of)} of all ratings, "
            f"{self.why}; the others go from {self.low:g} to {self.high:g}"
        )

    @property
    def mend(self) -> str:
        return f"if it is, set data.not_rated: [{self.value:g}], which leaves these rows out"


def suspects(ratings: pd.Series) -> list[Suspect]:
    """Return the lowest or highest values that are very frequent and far from all others, or a usual code and more
    frequent than ratings beside it.

    ``ratings``: numbers, missing ones allowed. Each end is looked at once it is free of an earlier suspect.
    """
    counts = ratings.dropna().value_counts().sort_index()
    found: list[Suspect] = []
    for end in (0, -1):
        one = _suspect(counts, end)
        while one is not None:
            found.append(one)
            counts = counts.drop(one.value)
            one = _suspect(counts, end)
    return found


def _suspect(counts: pd.Series, end: int) -> Suspect | None:
    if len(counts) < 3:
        return None
    values, times = counts.index.to_numpy(float), counts.to_numpy()
    value, beside = values[end], 1 if end == 0 else -2
    others = np.delete(values, end)
    step = float(np.median(np.diff(others)))
    gap = abs(float(values[beside]) - float(value))
    often = times[end] >= FREQUENT * times.sum()
    if often and gap >= FAR * step:
        why = f"far from all others (the next is {values[beside]:g})"
    elif value in CODES and value != 0 and _beside_scale(float(value), others, gap, step):
        why = f"apart from all others (the next is {values[beside]:g})"
    elif value in CODES and times[end] >= MORE_OFTEN * times[beside] and _more_than_worst(value, times, end, beside):
        why = f"{times[end] / times[beside]:.0f} times as frequent as {values[beside]:g} beside it"
    else:
        return None
    return Suspect(float(value), int(times[end]), int(times.sum()), float(others.min()), float(others.max()), why)


def _beside_scale(value: float, others: np.ndarray, gap: float, step: float) -> bool:
    """Tell a usual code by its place, however rare: far off, or below zero where no other is and a step is missing."""
    if len(others) < LEVELS:
        return False
    return gap >= others.max() - others.min() or (value < 0 <= others.min() and gap > step)


def _more_than_worst(value: float, times: np.ndarray, end: int, beside: int) -> bool:
    """Zero may be the worst judgement of a scale, which is seldom the most frequent and hardly so much more so."""
    return value != 0 or bool(times[end] == times.max() or times[end] >= ZERO_MORE_OFTEN * times[beside])


def slips(ratings: pd.Series) -> pd.Series:
    """Return the few ratings that lie farther from all others than these from each other, codes left aside.

    One 55 among halves from 0.5 to 5 would stretch the scale to ten times its span.
    """
    ratings = ratings.dropna().astype("float64")  # bytes of Parquet have no minus
    ratings = ratings[~ratings.isin([code.value for code in suspects(ratings)])]
    left = ratings
    for sign in (1, -1, 1):  # an end that is far hides one at the other end
        left = left[sign * left < _far_from(sign * left)]
    return ratings.drop(left.index)


def _far_from(ratings: pd.Series) -> float:
    """Return the lowest of the few highest values that lie far from the rest; infinite where none do."""
    counts = ratings.value_counts().sort_index()
    values, below = counts.index.to_numpy(float), counts.cumsum().to_numpy()
    for k in range(LEVELS, len(values)):
        few = below[-1] - below[k - 1] < FREQUENT * below[-1]
        if few and values[k] - values[k - 1] >= values[k - 1] - values[0]:
            return float(values[k])
    return np.inf


def slips_in_words(rows: pd.Series, others: pd.Series) -> str:
    """Return where the first of the slips stand, and between which ends the other ratings lie."""
    return (
        f"{number_of(len(rows), 'rating')} far from all others, which go from {others.min():g} to {others.max():g}: "
        f"{listed(rows.head(3))}"
    )


def without(ratings: pd.DataFrame, codes: Sequence[float]) -> tuple[pd.DataFrame, list[str]]:
    """Return the ratings that are none of ``codes`` (data.not_rated), and what was left out in words."""
    if not codes:
        return ratings, []
    coded = ratings["rating"].isin([np.float32(code) for code in codes])
    said = ", ".join(f"{code:g}" for code in codes)
    if not coded.any():
        return ratings, [f"no rating is {said}, which data.not_rated names"]
    return ratings[~coded], [
        f"{number_of(int(coded.sum()), 'rating')} left out that mean 'not rated' (data.not_rated: {said})"
    ]
