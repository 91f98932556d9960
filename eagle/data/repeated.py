"""Ratings of one item by one user that stand in several rows: copies, changed minds, or several people in one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eagle.config import DataConfig
from eagle.core.errors import Problem
from eagle.data.columns.findings import Findings
from eagle.data.columns.rows import NAMED_ROWS, number_of, place

MANY, MOSTLY = 50, 0.5
"""Repeated rows of one user, and their share of all of these, from which the user may be several people [ours]."""


def once(ratings: pd.DataFrame, data: DataConfig, found: Findings) -> pd.DataFrame:
    """Settle pairs of user and item that stand in several rows; exact copies are told from changed minds."""
    pair = ["user", "item"]
    again = ratings.duplicated(pair, keep=False) & ratings["user"].notna() & ratings["item"].notna()
    if not again.any():
        return ratings
    rows = ratings[again]
    copies = int(rows.duplicated().sum())
    pairs = int((~rows.duplicated(pair)).sum())
    told = rows.drop_duplicates().groupby(pair)["rating"].agg(["size", "nunique"])
    changed = int((told["nunique"] > 1).sum())
    same = int(((told["size"] > 1) & (told["nunique"] == 1)).sum())
    said = (
        f"{number_of(pairs, 'pair')} of user and item in {number_of(len(rows), 'row')}: "
        f"{number_of(copies, 'exact copy', 'exact copies')}, {number_of(changed, 'pair')} with different ratings "
        f"(changed minds), {number_of(same, 'pair')} with one rating at several times" + _of_one_user(rows)
    )
    if data.duplicates == "error":
        found.add(
            Problem(
                "ratings: a user has rated an item more than once",
                found=f"{said}\n    {shown(rows.sort_values(pair, kind='stable'))}",
                expected="each pair of user and item once",
                mend="set data.duplicates: latest to keep the latest of each pair, or leave rows out",
            )
        )
        return ratings
    order = ratings["timestamp"].astype("Float64").fillna(-np.inf).to_numpy(float)
    ranked = ratings.iloc[np.argsort(order, kind="stable")]
    kept = np.sort(
        np.argsort(order, kind="stable")[(~ranked.duplicated(pair, keep="last") | ~_whole(ranked)).to_numpy()]
    )
    found.remarks.append(
        f"{number_of(len(ratings) - len(kept), 'rating')} left out as repeated (data.duplicates: latest): {said}"
    )
    return ratings.iloc[kept]


def _of_one_user(rows: pd.DataFrame) -> str:
    """Return a word on the user who has most of the repeated rows: nobody changes so many minds."""
    counts = rows["user"].value_counts()
    if counts.iloc[0] < MANY or counts.iloc[0] <= MOSTLY * len(rows):
        return ""
    whose = f"{int(counts.iloc[0]):,} of these rows are of {counts.index[0]!r}"
    return f"; {whose}: if this stands for people without a name, leave its rows out, as it is nobody's taste"


def _whole(ratings: pd.DataFrame) -> pd.Series:
    return ratings["user"].notna() & ratings["item"].notna()


def shown(rows: pd.DataFrame) -> str:
    """Return the first ratings with their places, a line for each, and how many more there are."""
    said = [
        f"{place(label, rows.index)}: user={user}, item={item}, rating={rating:g}"
        for label, user, item, rating in zip(
            rows.index[:NAMED_ROWS], rows["user"], rows["item"], rows["rating"], strict=False
        )
    ]
    more = [f"and {len(rows) - NAMED_ROWS:,} more"] if len(rows) > NAMED_ROWS else []
    return "\n    ".join([*said, *more])
