"""Ids: what is one, what is none, and what has lost its digits."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from eagle.core.errors import Problem
from eagle.data.columns.missing import missing_words
from eagle.data.columns.rows import number_of, place, some
from eagle.data.columns.spelled import not_single

EXACT_UP_TO = 2**53
"""Whole numbers from here on are not all different as floats."""
_WHOLE_FLOAT = r"-?\d+\.0|-?\d\.\d+E\d+"
"""A whole number as a column of floats writes it; from ten million on, Java and Spark write 1.2345678E7."""
_SCIENTIFIC = r"[+-]?\d(?:[.,]\d+)?[eE]\+\d+|[+-]?\d[.,]\d+[eE]\d+"
ROUNDED = 5
"""Long numbers that end in zeros from which it is no chance [ours]."""


def as_ids(values: pd.Series) -> pd.Series:
    """Return ids as strings without blanks around them: ``1`` and ``1.0`` both give ``"1"``; missing stays missing.

    Text loses a trailing ``.0`` or an exponent (``1.2345678E7``) only where every id of the column is written as a
    float that has all digits of a whole number: the column was one of floats.
    """
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    text = values.astype("string").str.strip()
    text = text.mask(text == "")
    known = text.dropna()
    if len(known) and known.str.fullmatch(_WHOLE_FLOAT).all():
        whole = {cell: _whole(cell) for cell in known.unique()}
        if None not in whole.values():
            text = text.map(whole).astype("string")
    return text


def _whole(cell: str) -> str | None:
    """Return the whole number that a float's text is; None where it is none, or too large for all of its digits."""
    if cell.endswith(".0"):
        return cell[:-2]
    number = Decimal(cell)
    return f"{number:.0f}" if number == int(number) and abs(number) < EXACT_UP_TO else None


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
    words = text[missing_words(text)]
    if words.empty:
        return None
    return Problem(
        f"{name}: column {column.name!r} holds words for a missing id, which would count as one id each",
        found=counted_words(words),
        expected="an id, or an empty cell where there is none",
        mend="give these rows their id or leave them out; rename whoever is truly called so",
    )


def words_for_titles(name: str, column: pd.Series) -> Problem | None:
    """Return the problem of words for a missing title that several items share; one item may truly be called so."""
    text = column.astype("string").str.strip()
    words = text[missing_words(text) & text.duplicated(keep=False)]
    if words.empty:
        return None
    return Problem(
        f"{name}: column {column.name!r} holds words for a missing title",
        found=counted_words(words),
        expected="a title in every row",
        mend="give these items a title, or leave them out of the file",
    )


def counted_words(words: pd.Series) -> str:
    """Return in how many rows each word stands, and where the first does."""
    counts = words.value_counts()
    said = ", ".join(f"{word!r} in {number_of(int(count), 'row')}" for word, count in counts.items())
    return f"{said}; the first in {place(words.index[0], words.index)}"


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
