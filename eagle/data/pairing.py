"""Which columns of ratings and items name the same things: told by their values, for ``eagle init``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from eagle.data.columns.ids import as_ids
from eagle.data.columns.spelled import nested
from eagle.data.files.tables import read_any

_HALF = 0.5
_NEARLY_ALL = 0.95
"""Share of the ratings whose item has to be one before the names of the columns are believed [ours]."""
Pair = dict[str, str | None]


@dataclass(frozen=True)
class Side:
    """One of the two files: its first rows, and which of its columns may hold ids of items."""

    path: Path
    head: pd.DataFrame
    encoding: str | None

    def column(self, names: Collection[str]) -> pd.DataFrame:
        """Return whole columns, without lists and records."""
        table = read_any(self.path, {name: name for name in names}, encoding=self.encoding).table
        single = [name for name in names if table[name].dtype != object or not table[name].dropna().map(nested).any()]
        return table[single]


def paired(ratings: Side, items: Side, named: Pair, known: Collection[str], like_ids: Collection[str]) -> Pair:
    """Return the columns ``rated_item`` of the ratings and ``item`` of the items.

    Those that ``named`` gives stay where nearly all rated items are items; where a name is missing, that column is
    taken whose values agree most. Names mislead where fewer agree: then columns that are called as ids are
    (``like_ids``: names of either file) may take their place. ``known`` columns of the ratings hold something else.
    """
    one, other = named["rated_item"], named["item"]
    left = [one] if one else [name for name in ratings.head.columns if name not in known]
    right = [other] if other else [name for name in items.head.columns if items.head[name].is_unique]
    pair, share = _most_alike(ratings, items, left, right)
    if share < _NEARLY_ALL:
        left = [name for name in ratings.head.columns if name in like_ids and name not in known]
        right = [name for name in items.head.columns if name in like_ids and items.head[name].is_unique]
        better, agreed = _most_alike(ratings, items, left, right)
        pair, share = (better, agreed) if agreed > share else (pair, share)
    return pair if share > _HALF else named


def _most_alike(ratings: Side, items: Side, left: list[str], right: list[str]) -> tuple[Pair, float]:
    """Return the pair of columns whose values agree most, and the share of rated items that are items by it."""
    one, other = ratings.column(left), items.column(right)
    again = [name for name in one.columns if one[name].duplicated().any()]  # items are rated more than once
    shares = {(a, b): _agreement(one[a], other[b]) for a in again for b in other.columns}
    best = max(shares, key=lambda pair: shares[pair], default=None)
    return ({}, 0.0) if best is None else ({"rated_item": best[0], "item": best[1]}, shares[best])


def _agreement(rated: pd.Series, items: pd.Series) -> float:
    """Return the share of ratings whose id is that of an item."""
    return float(as_ids(rated).isin(as_ids(items).dropna()).mean())
