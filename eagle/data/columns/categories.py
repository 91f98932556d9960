"""Genres and other categories of items, in whatever writing a cell has them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from eagle.data.columns.prose import plain, unescaped
from eagle.data.columns.rows import number_of, share, some
from eagle.data.columns.spelled import nested, spelled

NO_GENRES = "(no genres listed)"
_QUOTED = re.compile(r"""^(["'])([^"']*)\1$""")
_BRACKETED = re.compile(r"(?:<[^<>/]+>\s*)+")
"""Tags as Stack Overflow writes them: ``<python><pandas>``."""
_NAMES = ("name", "title", "label", "genre", "category", "value")


def genre_list(value: Any, separator: str) -> list[str]:
    """Return genres of one item: lower case, source order, none twice; a list or one text with separators.

    A text may be a list of Python, JSON, NumPy or Postgres too, of names or of records with a name. Full stops and
    commas become spaces, because they structure the text of a state.
    """
    parts = parts_of(value, separator)
    bare = (_QUOTED.sub(r"\2", part.strip()) for part in parts)
    cleaned = (" ".join(plain(part).lower().replace(".", " ").replace(",", " ").split()) for part in bare)
    return list(dict.fromkeys(genre for genre in cleaned if genre and genre != NO_GENRES))


def parts_of(value: Any, separator: str) -> list[str]:
    """Return the names in one cell, as they are written."""
    if isinstance(value, str):
        if _BRACKETED.fullmatch(value.strip()):
            return re.findall(r"<([^<>]+)>", value)
        found = None if value.strip() == NO_GENRES else spelled(value)
        return unescaped(value).split(separator) if found is None else _names(found)
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return []
    return _names(value)


def _names(value: Any) -> list[str]:
    if isinstance(value, dict):
        return _names_of_record(value)
    if not nested(value):
        return [] if value is None or value != value else [str(value)]
    members = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
    return [name for member in members for name in _names(member)]


def _names_of_record(record: dict[Any, Any]) -> list[str]:
    """Return the name of ``{'id': 35, 'name': 'comedy'}``; the keys of ``{'comedy': 0.9}``."""
    lower = {str(key).lower(): value for key, value in record.items()}
    for key in _NAMES:
        if isinstance(lower.get(key), str):
            return [lower[key]]
    texts = [value for value in record.values() if isinstance(value, str)]
    if texts or any(key in lower for key in _NAMES):  # a name may be missing
        return texts[:1]
    return [str(key) for key, value in record.items() if value]


def keep_frequent(genres: Sequence[Sequence[str]], most: int) -> tuple[list[list[str]], list[str]]:
    """Return the lists with the ``most`` most frequent categories alone, and what was left out in words.

    Ties go by the alphabet. Memory of the encoder's fit grows with the square of the number of categories.
    """
    counts = Counter(genre for row in genres for genre in row)
    if len(counts) <= most:
        return [list(row) for row in genres], []
    order = sorted(counts, key=lambda genre: (-counts[genre], genre))
    kept = frozenset(order[:most])
    lists = [[genre for genre in row if genre in kept] for row in genres]
    emptied = sum(bool(row) and not left for row, left in zip(genres, lists, strict=True))
    rare = order[most:]
    return lists, [
        f"{len(rare):,} of {len(counts):,} categories left out as the rarest (data.max_categories: {most}), such as "
        f"{some(rare)}; {number_of(emptied, 'item')} had no other"
    ]


def unlike_each_other(genres: Sequence[Sequence[str]]) -> str | None:
    """Return a word where there are about as many categories as items that have some, None where items share them."""
    rows = [row for row in genres if row]
    different = {genre for row in rows for genre in row}
    if len(rows) < 20 or len(different) < 0.8 * len(rows):
        return None
    return (
        f"{number_of(len(different), 'different category', 'different categories')} of {number_of(len(rows), 'item')} "
        f"({share(len(different), len(rows))}), such as {some(sorted(different), 2)}: hardly two items share one; see "
        "data.files.genre_separator and data.files.columns.genres"
    )
