"""Ratings as two sparse matrices with one structure, and which of them may be used for what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from eagle.core.project import Project
from eagle.data.stored import in_units, rating_unit, read_item_split, read_rating_split, read_user_split


@dataclass(frozen=True)
class Ratings:
    """Ratings of ``users`` (rows) on ``items`` (columns); a pair that occurs twice counts twice.

    Both matrices are float32 and share their structure (12 bytes per rating), so that tens of millions of ratings fit.
    """

    users: list[str]
    items: list[str]
    counts: sparse.csr_array  # (n_users, n_items), how often rated
    sums: sparse.csr_array  # (n_users, n_items), sum of the ratings

    @classmethod
    def from_table(cls, table: pd.DataFrame, users: Sequence[str], items: Sequence[str]) -> Ratings:
        """Keep the rows of ``table`` (user, item, rating) whose user and item are named."""
        row, column = positions(table["user"], users), positions(table["item"], items)
        known = (row >= 0) & (column >= 0)
        return cls.from_pairs(row[known], column[known], table["rating"].to_numpy()[known], users, items)

    @classmethod
    def from_pairs(
        cls, row: np.ndarray, column: np.ndarray, rating: np.ndarray, users: Sequence[str], items: Sequence[str]
    ) -> Ratings:
        """Build from row and column numbers (n,) and ratings (n,)."""
        index = (row.astype(np.int32, copy=False), column.astype(np.int32, copy=False))
        shape = (len(users), len(items))
        sums = sparse.csr_array((rating.astype(np.float32, copy=False), index), shape=shape)
        if sums.nnz == len(rating):
            counts = np.ones(sums.nnz, np.float32)
        else:  # some pairs occur more than once
            counts = sparse.csr_array((np.ones(len(rating), np.float32), index), shape=shape).data
        return cls(list(users), list(items), _like(sums, counts), sums)

    @property
    def mean(self) -> float:
        return float(self.sums.data.sum(dtype=np.float64) / max(self.counts.data.sum(dtype=np.float64), 1.0))

    def user_means(self, damping: float = 0.0) -> np.ndarray:
        """Return every user's mean rating (n_users,), drawn to the overall mean by ``damping`` ratings."""
        one = np.ones(len(self.items))
        count, total = self.counts @ one, self.sums @ one
        # A user without ratings stands at the overall mean.
        means: np.ndarray = (total + damping * self.mean + (count == 0) * self.mean) / (count + damping + (count == 0))
        return means

    @property
    def transposed(self) -> Ratings:
        """The same ratings with items as rows, for the item half of an alternation."""
        sums = self.sums.T.tocsr()
        return Ratings(self.items, self.users, _like(sums, self.counts.T.tocsr().data), sums)


def positions(values: pd.Series, names: Sequence[str]) -> np.ndarray:
    """Return where each value stands among ``names`` (n,), -1 where nowhere; Arrow's hashing makes no Python object per
    row.
    """
    text = pa.large_string()
    found = pc.index_in(pa.array(values, text), value_set=pa.array(names, text))
    return np.asarray(pc.fill_null(found, -1))


def _like(matrix: sparse.csr_array, data: np.ndarray) -> sparse.csr_array:
    """Return a matrix of the same structure, held once, with other values."""
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


@dataclass(frozen=True)
class Splits:
    """Who and what is held out, and which rows may be used for what."""

    items: pd.DataFrame  # item, split
    users: pd.DataFrame  # user, split
    ratings: pd.DataFrame  # user, item, rating (in units), part
    unit: float = 1.0  # points of the source's scale in one unit (eagle.data.stored.rating_unit)

    @classmethod
    def load(cls, project: Project) -> Splits:
        unit = rating_unit(project.catalogue_files.source)
        return cls(
            read_item_split(project.split_files.items),
            read_user_split(project.split_files.users),
            in_units(read_rating_split(project.split_files.ratings), unit),
            unit,
        )

    def items_in(self, *splits: str) -> list[str]:
        return self.items.loc[self.items["split"].isin(splits), "item"].tolist()

    def users_in(self, *splits: str) -> list[str]:
        return self.users.loc[self.users["split"].isin(splits), "user"].tolist()

    def part(self, *parts: str) -> pd.DataFrame:
        """Rows of the named parts; the panel's rows are never among those of the reward side."""
        return self.ratings[self.ratings["part"].isin(parts)]

    def learning(self) -> Ratings:
        """What factors and encoder learn from: fit rows of train users on train items."""
        return Ratings.from_table(self.part("fit"), self.users_in("train"), self.items_in("train"))

    def folding(self) -> Ratings:
        """What z_u of every user is folded in from: fit rows on train items."""
        return Ratings.from_table(self.part("fit"), self.users["user"].tolist(), self.items_in("train"))
