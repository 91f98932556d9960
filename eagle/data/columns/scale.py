"""Ratings as numbers: what is no number, what is no rating, and what nothing can be learned from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eagle.core.errors import Problem
from eagle.data.columns.rows import listed, number_of, share

CODES = (0.0, -1.0, -9.0, -99.0, -999.0, 99.0, 999.0, 9999.0)
"""Numbers that files use for "not rated"."""
FREQUENT = 0.05
"""Share of the ratings from which a far value is no slip of the pen [ours]."""
FAR = 3.0
"""Gap to the next value, in usual steps between values, from which a value is far from all others [ours]."""
MORE_OFTEN = 2.0
"""How much more often than its neighbour a usual code stands, where it is suspected without a gap [ours]."""
_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_TRUTH = {"true": 1.0, "false": 0.0}
_LOOKS: tuple[tuple[str, float, str], ...] = (
    (
        r"[+-]?\d{1,3}(?:,\d{3})+",
        1.0,
        "this looks like a decimal comma, or a comma between thousands: write 1.25 or 1250, without a comma",
    ),
    (r"[+-]?\d+,\d+", 0.0, "this looks like a decimal comma: write 3.5 for 3,5"),
    (r"\d+(?:[.,]\d+)?\s*(?:/|of|out of)\s*\d+", 0.5, "this looks like a rating and the best one, as 4/5: write 4"),
    (r"\d+(?:[.,]\d+)?\s*%", 0.5, "these are shares in percent: write 80 for 80%"),
    (r"[★☆⭐✩✪🌟½ ]+", 0.5, "these are stars: write how many are filled"),
    (r"\d(?:[.,]\d)?\s*[^\W\d]+", 0.5, "a word follows the number: write the number alone"),
    (r"(?i)👍.?|👎.?|yes|no|likes?|dislikes?", 0.5, "this looks like a yes or no: write 1 and 0"),
    (r"(?i)[A-F][+-]?", 0.5, "these are grades: write a number for each, the highest for the best"),
    (r"(?i)nan|none|[(\[<]?null[)\]>]?|<na>|n/?a|-+", 0.5, "this is a word for a missing rating: leave these rows out"),
    (
        r"(?s).*\S+\s+\S+\s+\S+\s+\S+.*",
        0.5,
        "this looks like the text of a review: does data.files.columns.rating name another column?",
    ),
)
"""What a cell that is no number looks like, the share of such cells that it takes [ours], and how to mend them."""


def numbers(column: pd.Series) -> pd.Series:
    """Return ratings as numbers; missing where a cell holds none, and where it is infinite.

    Digits may be of any script, blanks around them of any kind. Where all cells are true or false, these are 1 and 0.
    """
    read = pd.to_numeric(column, errors="coerce")
    rest = column[read.isna() & column.notna()].astype("string").str.strip()
    if len(rest):
        values = {text: _number(text) for text in rest.unique()}
        if len(rest) == column.notna().sum() and {text.lower() for text in values} <= _TRUTH.keys():
            values = {text: _TRUTH[text.lower()] for text in values}
        read = read.astype("float64")
        read[rest.index] = rest.map(values).astype("float64").to_numpy()
    return read.where(np.isfinite(read.astype("float64")))


def _number(text: str) -> float:
    plain = "".join(
        str(unicodedata.decimal(sign)) if sign.isdecimal() else "-" if sign == "\N{MINUS SIGN}" else sign
        for sign in text
    )
    return float(plain) if _PLAIN.fullmatch(plain) else np.nan


def not_numbers(path: object, column: pd.Series) -> Problem | None:
    """Return the problem of a column that holds something else than numbers, with its first rows; None where all is
    well.
    """
    wrong = column[numbers(column).isna() & column.notna()]
    if wrong.empty:
        return None
    text = wrong.astype("string").str.strip()
    looks = (mend for form, least, mend in _LOOKS if text.str.fullmatch(form).mean() >= max(least, 1e-9))
    return Problem(
        f"{path}: column {column.name!r} holds what is not a number",
        found=f"{number_of(len(wrong), 'row')}: {listed(wrong)}",
        expected="a number in every row",
        mend=next(looks, "write a number, or leave the row out"),
    )


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
    elif value in CODES and times[end] >= MORE_OFTEN * times[beside] and (value != 0 or times[end] == times.max()):
        why = f"{times[end] / times[beside]:.0f} times as frequent as {values[beside]:g} beside it"
    else:
        return None
    return Suspect(float(value), int(times[end]), int(times.sum()), float(others.min()), float(others.max()), why)


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


def constant_users(ratings: pd.DataFrame) -> tuple[int, int]:
    """Return how many users with two ratings or more there are, and how many of them give one rating to all."""
    grouped = ratings.groupby("user")["rating"]
    least, most, size = grouped.min(), grouped.max(), grouped.size()
    several = size > 1
    return int(several.sum()), int((several & (least == most)).sum())


def nothing_to_learn(ratings: pd.DataFrame) -> Problem | None:
    """Return the problem of ratings that do not tell one item from another for anybody; None where they do."""
    several, constant = constant_users(ratings)
    if not several or constant < several:
        return None
    equal = ratings["rating"].nunique() < 2
    return Problem(
        "all ratings are the same: nothing can be learned from them"
        if equal
        else "no user's ratings differ: nothing can be learned about what anybody prefers",
        found=f"{number_of(len(ratings), 'rating')} of {number_of(ratings['user'].nunique(), 'user')}, "
        + (f"all {ratings['rating'].iloc[0]:g}" if equal else "each user with one value for all"),
        expected="users who rate some items higher than others",
        mend="check which column data.files.columns.rating names; clicks and purchases alone are no ratings",
    )
