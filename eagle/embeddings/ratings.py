"""Ratings as two sparse matrices with one structure, and the batched ridge solves that every factorisation here is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from eagle.project import Project


@dataclass(frozen=True)
class Ratings:
    """Ratings of ``users`` (rows) on ``items`` (columns); a pair that occurs twice counts twice."""

    users: list[str]
    items: list[str]
    counts: sparse.csr_array  # (n_users, n_items), how often rated
    sums: sparse.csr_array  # (n_users, n_items), sum of the ratings

    @classmethod
    def from_table(cls, table: pd.DataFrame, users: Sequence[str], items: Sequence[str]) -> Ratings:
        """Keep the rows of ``table`` (user, item, rating) whose user and item are named."""
        row = pd.Index(users).get_indexer(pd.Index(table["user"]))
        column = pd.Index(items).get_indexer(pd.Index(table["item"]))
        known = (row >= 0) & (column >= 0)
        index = (row[known], column[known])
        shape = (len(users), len(items))
        value = table["rating"].to_numpy(np.float64)[known]
        counts = sparse.csr_array((np.ones(len(value)), index), shape=shape)
        return cls(list(users), list(items), counts, sparse.csr_array((value, index), shape=shape))

    @property
    def mean(self) -> float:
        return float(self.sums.sum() / max(self.counts.sum(), 1.0))

    def user_means(self, damping: float = 0.0) -> np.ndarray:
        """Return every user's mean rating (n_users,), drawn to the overall mean by ``damping`` ratings."""
        count = np.asarray(self.counts.sum(axis=1)).ravel()
        total = np.asarray(self.sums.sum(axis=1)).ravel()
        # A user without ratings stands at the overall mean.
        means: np.ndarray = (total + damping * self.mean + (count == 0) * self.mean) / (count + damping + (count == 0))
        return means

    @property
    def transposed(self) -> Ratings:
        """The same ratings with items as rows, for the item half of an alternation."""
        return Ratings(self.items, self.users, self.counts.T.tocsr(), self.sums.T.tocsr())


@dataclass(frozen=True)
class Missing:
    """Unobserved entries take part with ``weight`` at the target ``row[i] + column[j]``."""

    weight: float
    row: np.ndarray  # (n_rows,)
    column: np.ndarray  # (n_columns,)


def normal_equations(
    ratings: Ratings, features: np.ndarray, shift: np.ndarray, missing: Missing | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the left (n_rows, k, k) and right (n_rows, k) sides of every row's least-squares problem.

    Row i explains ``rating - shift[j]`` by ``<x_i, features[j]>`` over its rated columns j; features (n_columns, k).
    """
    n_rows, k = ratings.counts.shape[0], features.shape[1]
    outer = (features[:, :, None] * features[:, None, :]).reshape(-1, k * k)
    left = (ratings.counts @ outer).reshape(n_rows, k, k)
    right = ratings.sums @ features - ratings.counts @ (shift[:, None] * features)
    if missing is None or missing.weight == 0:
        return left, right
    rated = ratings.counts @ features  # (n_rows, k)
    target = missing.column - shift  # (n_columns,), the row part comes on top
    absent = missing.row[:, None] * (features.sum(axis=0) - rated)
    absent += target @ features - ratings.counts @ (target[:, None] * features)
    return left * (1 - missing.weight) + missing.weight * (features.T @ features), right + missing.weight * absent


def solve_rows(left: np.ndarray, right: np.ndarray, penalty: np.ndarray, prior: np.ndarray | None = None) -> np.ndarray:
    """Return argmin_x of every row's problem plus ``penalty * (x - prior)^2``: (n_rows, k); penalty (k,)."""
    pull = right if prior is None else right + penalty * prior
    solved: np.ndarray = np.linalg.solve(left + np.diag(penalty), pull[:, :, None])[:, :, 0]
    return solved


@dataclass(frozen=True)
class Splits:
    """Who and what is held out, and which rows may be used for what."""

    items: pd.DataFrame  # item, split
    users: pd.DataFrame  # user, split
    ratings: pd.DataFrame  # user, item, rating, part

    @classmethod
    def load(cls, project: Project) -> Splits:
        from eagle.artifacts import read_table

        return cls(
            read_table(project.splits / "items.parquet", "item_split"),
            read_table(project.splits / "users.parquet", "user_split"),
            read_table(project.splits / "ratings.parquet", "rating_split"),
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
