"""The one form in which ratings, items and users reach the rest of the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eagle.core.artifacts import complete_or_absent, write_json, write_table
from eagle.core.errors import user_error
from eagle.core.folders import CatalogueFiles
from eagle.core.seeding import stream
from eagle.data.columns.ids import as_ids
from eagle.data.stored import StoredProvenance, read_items, read_provenance, read_ratings, read_users


@dataclass(frozen=True)
class Provenance:
    """Where a catalogue came from."""

    name: str
    files: Mapping[str, str] = field(default_factory=dict)
    """File name -> SHA-256 hex digest of what was read."""
    rating_min: float = 0.5
    rating_max: float = 5.0
    licence: str = ""


@dataclass(frozen=True)
class Catalogue:
    """Tables as docs/architecture.md describes them; every id is a string.

    ``ratings``: user, item, rating float32, timestamp Int64. ``items``: item, title, text, genres (lists), year Int64.
    ``users``: user and, where known, group columns (age_group, gender, occupation). Until the filters are applied, an
    index of ratings and items that has a name says where a row stands in the user's file.
    """

    ratings: pd.DataFrame
    items: pd.DataFrame
    users: pd.DataFrame
    source: Provenance
    remarks: tuple[str, ...] = ()
    """What is unusual about the source, in words; not stored with the tables."""


def make_catalogue(
    ratings: pd.DataFrame, items: pd.DataFrame, source: Provenance, users: pd.DataFrame | None = None
) -> Catalogue:
    """Bring columns into their final types; without ``users`` they are the ones that rated, in order of appearance."""
    ratings = ratings.assign(
        user=as_ids(ratings["user"]),
        item=as_ids(ratings["item"]),
        rating=ratings["rating"].astype("float32"),
        timestamp=_whole(ratings, "timestamp"),
    )[["user", "item", "rating", "timestamp"]]
    items = items.assign(
        item=as_ids(items["item"]),
        title=items["title"].astype("string"),
        text=items.get("text", pd.Series(pd.NA, items.index)).astype("string"),
        year=_whole(items, "year"),
    )[["item", "title", "text", "genres", "year"]]
    if users is None:
        users = pd.DataFrame({"user": ratings["user"].dropna().unique()})
    users = users.assign(user=as_ids(users["user"]))
    return Catalogue(ratings.reset_index(drop=True), items.reset_index(drop=True), users.reset_index(drop=True), source)


def _whole(table: pd.DataFrame, column: str) -> pd.Series:
    values = table.get(column, pd.Series(pd.NA, table.index, dtype="Int64"))
    return pd.to_numeric(values, errors="coerce").round().astype("Int64")


def keep_rated_enough(catalogue: Catalogue, per_user: int, per_item: int, max_ratings: int) -> Catalogue:
    """Leave out rare users and items until all that remain are rated enough; then cap by whole users.

    ``max_ratings`` 0 keeps all. Users are drawn in an order that depends on their ids alone.
    """
    ratings = _core(catalogue.ratings, per_user, per_item)
    if max_ratings and len(ratings) > max_ratings:
        counts = ratings["user"].value_counts().sort_index()
        order = stream(0, "max_ratings").permutation(len(counts))
        total = counts.iloc[order].cumsum()
        ratings = _core(ratings[ratings["user"].isin(total.index[total <= max_ratings])], per_user, per_item)
    if ratings.empty:
        most = [catalogue.ratings[name].value_counts().max() for name in ("user", "item") if len(catalogue.ratings)]
        raise user_error(
            "no rating is left after the filters",
            found=f"{len(catalogue.ratings)} ratings before them"
            + (f", at most {most[0]:,} by one user and {most[1]:,} of one item" if most else ""),
            expected=f"users with {per_user} ratings and items with {per_item}, in all at most "
            f"{max_ratings or 'any number of'} ratings",
            mend="lower data.min_ratings_per_user or data.min_ratings_per_item, or raise data.max_ratings",
        )
    items = catalogue.items[catalogue.items["item"].isna() | catalogue.items["item"].isin(ratings["item"].unique())]
    users = catalogue.users[catalogue.users["user"].isin(ratings["user"].unique())]
    return replace(
        catalogue,
        ratings=ratings.reset_index(drop=True),
        items=items.reset_index(drop=True),
        users=users.reset_index(drop=True),
    )


def _core(ratings: pd.DataFrame, per_user: int, per_item: int) -> pd.DataFrame:
    """Drop users and items with too few ratings until nothing changes.

    Rows without an id stay for the checks to name.
    """
    users, items = (pd.factorize(ratings[name])[0] for name in ("user", "item"))  # -1 where missing
    rows = np.arange(len(ratings))
    while True:
        keep = _enough(users[rows], per_user) & _enough(items[rows], per_item)
        if keep.all():
            return ratings.iloc[rows]
        rows = rows[keep]


def _enough(codes: np.ndarray, least: int) -> np.ndarray:
    counts = np.bincount(codes + 1)
    return np.asarray((counts[codes + 1] >= least) | (codes < 0))


def write_catalogue(catalogue: Catalogue, folder: Path, overview: Mapping[str, Any] | None = None) -> None:
    """Write the folder ``data/catalogue``, all of it or nothing; ``overview`` is kept as JSON beside the tables."""
    source = catalogue.source
    kept: StoredProvenance = {
        "source": source.name,
        "files": dict(source.files),
        "rating_min": source.rating_min,
        "rating_max": source.rating_max,
        "licence": source.licence,
    }
    with complete_or_absent(folder) as draft:
        files = CatalogueFiles(draft)
        write_table(files.ratings, catalogue.ratings, "ratings")
        write_table(files.items, catalogue.items, "items")
        write_table(files.users, catalogue.users, "users")
        write_json(files.source, kept)
        if overview is not None:
            write_json(files.overview, dict(overview))


def read_catalogue(folder: Path) -> Catalogue:
    """Read the folder that :func:`write_catalogue` wrote; ``genres`` comes back as lists."""
    files = CatalogueFiles(folder)
    meta, items = read_provenance(files.source), read_items(files.items)
    items["genres"] = [list(genres) for genres in items["genres"]]
    return Catalogue(
        ratings=read_ratings(files.ratings),
        items=items,
        users=read_users(files.users),
        source=Provenance(meta["source"], meta["files"], meta["rating_min"], meta["rating_max"], meta["licence"]),
    )
