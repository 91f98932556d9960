"""Why ids do not join, or hardly differ: in which way of writing alone they are apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Set

import pandas as pd

from eagle.data.columns.ids import as_ids
from eagle.data.columns.rows import number_of, some

EXPLAINS = 0.5
"""Share of the ids without a partner that a way of writing has to join before it is named as the cause [ours]."""


def _number_inside(value: str) -> str:
    digits = re.findall(r"\d+", value)
    return digits[0].lstrip("0") or "0" if len(digits) == 1 else value


def _seen(value: str) -> str:
    """Return the id without signs of no width and with every blank as a plain one."""
    shown = "".join(letter for letter in value if unicodedata.category(letter) not in ("Cc", "Cf"))
    return " ".join(shown.split())


_SAME: dict[str, Callable[[str], str]] = {
    "signs that cannot be seen": _seen,
    "the form of their letters in Unicode (full-width, composed)": lambda value: unicodedata.normalize("NFKC", value),
    "a trailing .0": lambda value: re.sub(r"\.0+$", "", value),
    "leading zeros": lambda value: re.sub(r"^0+(?=.)", "", value),
    "upper and lower case": str.casefold,
}
"""Differences that two ids hardly ever have on purpose."""
_WRITINGS: dict[str, Callable[[str], str]] = {
    **_SAME,
    "quotation marks around them": lambda value: value.strip("'\"`"),
    "blanks, hyphens and other signs inside them": lambda value: re.sub(r"[\W_]+", "", value),
    "a word or sign around the number": _number_inside,
}


def twins(name: str, column: pd.Series) -> tuple[str, ...]:
    """Return one sentence for each way of writing in which alone ids of a column differ.

    They stay different ids but for blanks around them, which count for nothing.
    """
    if not isinstance(column.dtype, pd.StringDtype) and column.dtype != object:
        return ()  # numbers
    ids = as_ids(column).dropna().drop_duplicates()
    said, left = list(_padded(name, column)), ids
    for words, same in _SAME.items():
        plain = left.map(same)
        pair = left[plain.duplicated(keep=False)]
        left = left.drop(pair.index)
        if len(pair):
            first = pair[plain[pair.index] == plain[pair.index[0]]]
            said.append(
                f"{name}: {number_of(len(pair), 'id')} of {len(ids):,} in column {column.name!r} differ from others "
                f"only by {words}, such as {some(first, 2)}: they count as different"
            )
    return tuple(said)


def _padded(name: str, column: pd.Series) -> tuple[str, ...]:
    """Return in words which ids of a column have become one with another by losing the blanks around them."""
    text = column.dropna().astype("string").drop_duplicates()
    bare = text.str.strip()
    pair = text[bare.duplicated(keep=False) & (bare != "")]
    if pair.empty:
        return ()
    first = pair[bare[pair.index] == bare[pair.index[0]]]
    return (
        f"{name}: {number_of(len(pair), 'id')} of {len(text):,} in column {column.name!r} differ from others only by "
        f"blanks around them, such as {some(first, 2)}: they count as one",
    )


def cause(missing: set[str], other: set[str], joined_already: Set[str] = frozenset()) -> str | None:
    """Return how the ids of ``missing`` differ from those of ``other``, which have no partner; None where unknown.

    The way of writing that joins most of them is named, if it joins half or more. One that two ids hardly ever differ
    by on purpose may join them to ids that have a partner too: a column may hold both 143 and 143.0.
    """
    best, joined = None, 0
    for words, plain in _WRITINGS.items():
        there = {plain(value) for value in (other | joined_already if words in _SAME else other)}
        found = sum(plain(value) in there for value in missing)
        if found > joined:
            best, joined = words, found
    if best is None or joined < EXPLAINS * len(missing):
        return None
    return f"they differ by {best} ({joined:,} of {len(missing):,} would join)"


def unjoined(missing: set[str], other: set[str], names: tuple[str, str], joined_already: Set[str] = frozenset()) -> str:
    """Return in words some ids that only the first of ``names`` has, some that only the second has, and why."""
    why = cause(missing, other, joined_already)
    sides = [f"only in {name}: {some(sorted(ids))}" for name, ids in zip(names, (missing, other), strict=True) if ids]
    return "; ".join([*sides, *([why] if why else [])])
