"""The tables of the catalogue and of the splits as other rooms read them: one reader for each file.

The paths are those of :class:`eagle.core.folders.CatalogueFiles` and :class:`eagle.core.folders.SplitFiles`. Ids are
strings in all of them, and every index is 0, 1, 2, ...
"""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, cast

import pandas as pd

from eagle.core.artifacts import read_json, read_table


class StoredProvenance(TypedDict):
    """source.json beside the tables: a :class:`eagle.data.catalogue.Provenance` as it is kept."""

    source: str
    files: dict[str, str]
    """File name -> SHA-256 hex digest of what was read."""
    rating_min: float
    rating_max: float
    licence: str


def read_ratings(path: Path) -> pd.DataFrame:
    """Return all ratings: user (str), item (str), rating (float32), timestamp (Int64, may be missing)."""
    return read_table(path, "ratings")


def read_items(path: Path) -> pd.DataFrame:
    """Return all items: item (str), title (str), text (str, may be missing), genres (array of str), year (Int64)."""
    return read_table(path, "items")


def read_titles(path: Path) -> dict[str, str]:
    """Return item -> title from the items' table."""
    items = read_items(path)
    return dict(zip(items["item"].astype(str), items["title"].astype(str), strict=True))


def read_users(path: Path) -> pd.DataFrame:
    """Return all users: user (str), and what the source tells about them (gender, age_group, ...), if anything."""
    return read_table(path, "users")


def read_provenance(path: Path) -> StoredProvenance:
    """Return where the catalogue comes from."""
    return cast(StoredProvenance, read_json(path))


def rating_unit(path: Path) -> float:
    """Return how many points of the source's scale are one unit: a quarter of its span, so 1 on a scale of 1 to 5.

    Penalties and thresholds are set for such units, and any scale that is brought to them works alike. ``path`` is that
    of :func:`read_provenance`.
    """
    source = read_provenance(path)
    return (float(source["rating_max"]) - float(source["rating_min"])) / 4


def in_units(ratings: pd.DataFrame, unit: float) -> pd.DataFrame:
    """Return ratings with the column rating in units of :func:`rating_unit`."""
    return ratings if unit == 1 else ratings.assign(rating=ratings["rating"] / unit)


def read_item_split(path: Path) -> pd.DataFrame:
    """Return (item, split), sorted by item; a split is train, validation, test or never_rated."""
    return read_table(path, "item_split")


def items_of_split(path: Path, split: str) -> list[str]:
    """Return the items of one split, sorted."""
    table = read_item_split(path)
    return table.loc[table["split"] == split, "item"].astype(str).tolist()


def read_user_split(path: Path) -> pd.DataFrame:
    """Return (user, split), sorted by user; a split is train, validation or test."""
    return read_table(path, "user_split")


def read_rating_split(path: Path) -> pd.DataFrame:
    """Return (user, item, rating, part), sorted by user and item; a part is fit, holdout or panel."""
    return read_table(path, "rating_split")
