"""Ids: what is none, what has lost its digits, and why those of two files do not join."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pandas as pd

from eagle.core.errors import Problem
from eagle.data.columns.rows import number_of, place, some
from eagle.data.columns.spelled import not_single

EXACT_UP_TO = 2**53
"""Whole numbers from here on are not all different as floats."""
MISSING_WORDS = frozenset({"nan", "none", "null", "<na>", "nat", "n/a", "#n/a", "undefined"})
"""What programs write for a missing value, in any case; ``NA`` only in capitals."""
_WHOLE_FLOAT = r"-?\d+\.0"
_SCIENTIFIC = r"[+-]?\d(?:\.\d+)?[eE]\+\d+"
ROUNDED = 5
"""Long numbers that end in zeros from which it is no chance [ours]."""
EXPLAINS = 0.5
"""Share of the ids without a partner that a way of writing has to join before it is named as the cause [ours]."""


def as_ids(values: pd.Series) -> pd.Series:
    """Return ids as strings: ``1`` and ``1.0`` both give ``"1"``; missing ones stay missing.

    Text loses a trailing ``.0`` only where every id of the column has it: the column was one of floats.
    """
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    text = values.astype("string").str.strip()
    text = text.mask(text == "")
    known = text.dropna()
    if len(known) and known.str.fullmatch(_WHOLE_FLOAT).all():
        text = text.str.slice(stop=-2)
    return text


def id_problems(name: str, column: pd.Series) -> list[Problem]:
    """Return what is wrong with the ids of one column of the file ``name``: missing, a word for it, lost digits, or no
    single values at all.
    """
    lists = not_single(name, column)
    if lists:
        return [lists]
    return [
        problem
        for problem in (_empty(name, column), _missing_words(name, column), _lost_digits(name, column))
        if problem
    ]


def _empty(name: str, column: pd.Series) -> Problem | None:
    empty = column[as_ids(column).isna()]
    if empty.empty:
        return None
    rows = ", ".join(place(label, empty.index) for label in empty.index[:10])
    return Problem(
        f"{name}: an id in column {column.name!r} is missing",
        found=f"{number_of(len(empty), 'row')}: {rows}{', ...' if len(empty) > 10 else ''}",
        expected="an id in every row",
        mend="give these rows an id, or leave them out of the file",
    )


def _missing_words(name: str, column: pd.Series) -> Problem | None:
    text = as_ids(column)
    words = text[text.str.lower().isin(MISSING_WORDS) | (text == "NA").fillna(False)]
    if words.empty:
        return None
    counts = words.value_counts()
    said = ", ".join(f"{word!r} in {number_of(int(count), 'row')}" for word, count in counts.items())
    return Problem(
        f"{name}: column {column.name!r} holds words for a missing id, which would count as one id each",
        found=f"{said}; the first in {place(words.index[0], words.index)}",
        expected="an id, or an empty cell where there is none",
        mend="give these rows their id or leave them out; rename whoever is truly called so",
    )


def _lost_digits(name: str, column: pd.Series) -> Problem | None:
    if pd.api.types.is_float_dtype(column):
        large = column[column.abs() >= EXACT_UP_TO]
        said = "as floats beyond 2^53 (9,007,199,254,740,992) neighbours have become one id"
    else:
        text = as_ids(column)
        large = text[text.str.fullmatch(_SCIENTIFIC).fillna(False).astype(bool)]
        said = "scientific notation keeps a few digits: the originals are lost"
        long = text[text.str.fullmatch(r"\d{16,}").fillna(False).astype(bool)]
        if large.empty and long.nunique() >= ROUNDED and long.str.fullmatch(r"\d{15}0+").all():
            large, said = long, "all end in zeros after 15 digits, as a spreadsheet leaves them"
    if large.empty:
        return None
    shown = [f"{value:.0f}" if isinstance(value, float) else value for value in large.drop_duplicates().head(3)]
    return Problem(
        f"{name}: ids in column {column.name!r} have lost their last digits",
        found=f"{number_of(len(large), 'row')} with {number_of(large.nunique(), 'different id')}, such as "
        f"{some(shown)}: {said}",
        expected="ids as they were given, whole numbers or text",
        mend="write the file again from its origin with this column as text or as int64 (a missing value in it makes "
        "floats; a spreadsheet shortens long numbers)",
    )


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
    """Return one sentence for each way of writing in which alone ids of a column differ; they stay different ids."""
    ids = as_ids(column).dropna().drop_duplicates()
    if not isinstance(column.dtype, pd.StringDtype) and column.dtype != object:
        return ()  # numbers
    said, left = [], ids
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


def cause(missing: set[str], other: set[str]) -> str | None:
    """Return how the ids of ``missing``, none of which is in ``other``, differ from those there; None where unknown.

    The way of writing that joins most of them is named, if it joins half or more.
    """
    best, joined = None, 0
    for words, plain in _WRITINGS.items():
        there = {plain(value) for value in other}
        found = sum(plain(value) in there for value in missing)
        if found > joined:
            best, joined = words, found
    if best is None or joined < EXPLAINS * len(missing):
        return None
    return f"they differ by {best} ({joined:,} of {len(missing):,} would join)"


def unjoined(missing: set[str], other: set[str], names: tuple[str, str]) -> str:
    """Return in words some ids that only the first of ``names`` has, some that only the second has, and why."""
    why = cause(missing, other)
    sides = [f"only in {name}: {some(sorted(ids))}" for name, ids in zip(names, (missing, other), strict=True) if ids]
    return "; ".join([*sides, *([why] if why else [])])
