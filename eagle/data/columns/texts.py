"""The texts of items, in whatever writing a cell has them, as plain prose; missing where they say nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from eagle.core.errors import Problem
from eagle.data.columns.prose import marked_up, plain, says_nothing
from eagle.data.columns.rows import number_of, some
from eagle.data.columns.spelled import not_single, prose, spelled


@dataclass(frozen=True)
class Texts:
    """Each text on one line, without tags and entities (string), what was done to them, and what cannot be read."""

    texts: pd.Series
    remarks: tuple[str, ...] = ()
    problem: Problem | None = None


def read_texts(name: str, column: pd.Series) -> Texts:
    """Read texts: the parts of a list follow each other; a word for a missing text, or an address alone, is none.

    ``name`` is the file's, for words. A column of records is a problem.
    """
    cells = list(column)
    whole = [prose(cell) for cell in cells]
    problem = not_single(name, pd.Series(map(_record, whole), column.index, dtype=object, name=column.name))
    if problem:
        return Texts(pd.Series(pd.NA, column.index, dtype="string"), problem=problem)
    lists = sum(cell is not text for cell, text in zip(cells, whole, strict=True))
    texts = pd.Series(whole, column.index, dtype="string")
    marked = sum(map(marked_up, texts.dropna()))
    texts = pd.Series([pd.NA if pd.isna(text) else plain(text) for text in texts], texts.index, dtype="string")
    texts = texts.mask(texts == "")
    nothing = pd.Series([isinstance(text, str) and says_nothing(text) for text in texts], texts.index, dtype=bool)
    remarks = []
    if lists:
        remarks.append(f"{name}: the parts of {number_of(lists, 'text')} that are lists put behind each other")
    if marked:
        remarks.append(f"tags or entities of HTML taken out of {number_of(marked, 'text')}")
    if nothing.any():
        different = texts[nothing].drop_duplicates()
        remarks.append(
            f"{name}: {number_of(int(nothing.sum()), 'text')} without a word count as none: {some(different)}"
        )
    return Texts(texts.mask(nothing), tuple(remarks))


def _record(cell: Any) -> Any:
    """Return the record that a text spells, as ``{"en": "A thief."}``; any other cell as it is."""
    found = spelled(cell) if isinstance(cell, str) and cell.lstrip().startswith("{") else None
    return found if isinstance(found, dict) else cell
