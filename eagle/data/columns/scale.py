"""Ratings as numbers: what is no number, and what nothing can be learned from."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd

from eagle.core.errors import Problem
from eagle.data.columns.missing import WORDS
from eagle.data.columns.rows import listed, number_of

_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_TRUTH = {"true": 1.0, "false": 0.0, "t": 1.0, "f": 0.0}
"""In any case; Postgres writes letters."""
_LOOKS: tuple[tuple[str, float, str], ...] = (
    (
        r"[+-]?\d{1,3}(?:,\d{3})+",
        1.0,
        "this looks like a decimal comma, or a comma between thousands: write 1.25 or 1250, without a comma",
    ),
    (r"[+-]?\d{1,3}(?:[,.'’\s]\d{3})+", 0.5, "signs stand between thousands: write 1250 for 1'250"),
    (r"['\"`‘“«\[({].*|.*['\"`’”»\])}]", 0.5, "signs stand around the number: write the number alone, 4 for '4'"),
    (r"[+-]?\d+,\d+", 0.0, "this looks like a decimal comma: write 3.5 for 3,5"),
    (
        r"(?i)(?:rated\s+)?\d+(?:[.,]\d+)?\s*(?:/|of|out of)\s*\d+(?:\s*stars?)?",
        0.5,
        "this looks like a rating and the best one, as 4/5: write 4",
    ),
    (r"\d+\s*[¼½¾]|\d+\s+\d/\d", 0.5, "these are fractions: write 3.5 for 3½"),
    (r"(?i)[ivx]+", 0.5, "these are Roman numerals: write 4 for IV"),
    (r"\d+(?:[.,]\d+)?\s*%", 0.5, "these are shares in percent: write 80 for 80%"),
    (r"[★☆⭐✩✪🌟½ ]+", 0.5, "these are stars: write how many are filled"),
    (r"\d(?:[.,]\d)?\s*[^\W\d]+", 0.5, "a word follows the number: write the number alone"),
    (
        r"(?i)👍.?|👎.?|yes|no|(?:dis)?liked?s?|(?:not )?recommended|positive|negative",
        0.5,
        "this looks like a yes or no: write 1 and 0",
    ),
    (r"(?i)[A-F][+-]?", 0.5, "these are grades: write a number for each, the highest for the best"),
    (rf"(?i){WORDS}|na|-+", 0.5, "this is a word for a missing rating: leave these rows out"),
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
