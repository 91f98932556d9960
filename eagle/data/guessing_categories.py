"""How the categories of the user's items are written: guessed from their cells, for ``eagle init``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence

import pandas as pd

from eagle.data.columns.separated import SEPARATORS, better_separator, cells_of

_MARKS = 3  # columns of 0 and 1, from which they are likely to be categories
_TWO = ({"0", "1"}, {"true", "false"}, {"0.0", "1.0"})
_INSIDE_NAMES = (",", "/")
"""Signs that one category may hold too."""
_BETWEEN_PATHS = ("|", ";", "\n")
"""What stands between paths of categories, as Books > Fiction: a comma may stand in one."""


def likely_separator(table: pd.DataFrame, column: str | None) -> str:
    """Return the sign that most cells of a column of categories have, or another that cuts them better; the default
    where none has.
    """
    cells = cells_of(table[column]) if column else []
    counts = {sign: sum(sign in cell for cell in cells) for sign in SEPARATORS}
    for sign in _INSIDE_NAMES:
        counts[sign] *= _separates(cells, sign)
    best = max(counts, key=lambda sign: counts[sign])
    if best == ">":
        best = next((sign for sign in _BETWEEN_PATHS if counts[sign]), best)
    likely = best if counts[best] else "|"
    return better_separator(cells, likely) or likely


def _separates(cells: Sequence[str], sign: str) -> bool:
    """Tell whether a part stands in different company, as no word of ``Clothing, Shoes & Jewelry`` does; what is one
    and the same in all cells tells nothing.
    """
    different = {cell.strip() for cell in cells}
    parts = Counter(part for cell in different for part in {part.strip() for part in cell.split(sign)})
    return len(different) < 2 or max(parts.values()) > 1


def in_several_columns(table: pd.DataFrame, taken: Collection[str], of_categories: Callable[[str], bool]) -> str:
    """Return a word on categories that stand in several columns, ``genre1``, ``genre2`` or one for each of 0 and 1."""
    left = [str(name) for name in table.columns if name not in taken]
    numbered = [name for name in left if re.search(r"\d", name) and of_categories(re.sub(r"\d+", "", name))]
    if len(numbered) > 1:
        more = ", ..." if len(numbered) > 3 else ""
        return (
            f"NONE: {len(numbered)} columns ({', '.join(numbered[:3])}{more}) seem to hold one category each; to use "
            "them, write one column with what is in them, separated by |"
        )
    marks = _marks(table, left)
    if len(marks) < _MARKS:
        return ""
    return (
        f"NONE: {len(marks)} columns of 0 and 1 ({', '.join(marks[:3])}, ...) seem to be one category each; to use "
        "them, write one column with the names of those that are 1, separated by |"
    )


def _marks(table: pd.DataFrame, left: Collection[str]) -> list[str]:
    """Return the columns that hold nothing but 0 and 1, or True and False."""
    values = {name: set(table[name].dropna().str.lower()) for name in left}
    return [name for name, found in values.items() if found and any(found <= two for two in _TWO)]
