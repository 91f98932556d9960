"""The user's own catalogue: CSV or Parquet, column names mapped in params.yaml (docs/own_catalogue.md)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from eagle.config import DataConfig, OwnFiles
from eagle.core.errors import EagleError, Problem
from eagle.data.catalogue import Catalogue, Provenance, as_ids, make_catalogue
from eagle.data.packages import sha256_of
from eagle.data.tables import genre_list, missing_columns, not_numbers, read_any, seconds, year_of
from eagle.data.titles import split_year, upright

_COLUMN = "data.files.columns."


class UsersFiles:
    """The source of ``data.source: files``."""

    def read(self, data: DataConfig, root: Path) -> Catalogue:
        """Return what ``data.files`` describes."""
        return own_files(data.files, root)


def own_files(files: OwnFiles, root: Path) -> Catalogue:
    """Return the catalogue that ``data.files`` describes; relative paths start at ``root``.

    Raises one :class:`~eagle.core.errors.EagleError` with every missing file and column.
    """
    tables, problems = _read(files, root)
    if not problems:
        wrong = not_numbers(files.ratings, tables["ratings"][files.columns.rating])
        problems += [wrong] if wrong else []
        problems += _repeated_texts(files, tables)
    if problems:
        raise EagleError(problems)
    paths = [root / path for path in (files.ratings, files.items, files.texts) if path]
    source = Provenance("files", {path.name: sha256_of(path) for path in paths}, licence="the user's own data")
    return make_catalogue(_ratings(files, tables["ratings"]), _items(files, tables), source)


def _read(files: OwnFiles, root: Path) -> tuple[dict[str, pd.DataFrame], list[Problem]]:
    columns = files.columns
    wanted: dict[str, dict[str, str | None]] = {
        "ratings": {
            f"{_COLUMN}user": columns.user,
            f"{_COLUMN}rated_item": columns.rated_item,
            f"{_COLUMN}rating": columns.rating,
            f"{_COLUMN}timestamp": columns.timestamp,
        },
        "items": {
            f"{_COLUMN}item": columns.item,
            f"{_COLUMN}title": columns.title,
            f"{_COLUMN}genres": columns.genres,
            f"{_COLUMN}year": columns.year,
            f"{_COLUMN}text": None if files.texts else columns.text,
        },
        "texts": {f"{_COLUMN}item": columns.item, f"{_COLUMN}text": columns.text},
    }
    tables: dict[str, pd.DataFrame] = {}
    problems: list[Problem] = []
    for name, needs in wanted.items():
        path = getattr(files, name)
        if path is None:
            if name != "texts":
                problems.append(
                    Problem(f"data.source is files, but data.files.{name} is not set", mend=f"name the {name} file")
                )
            continue
        read = read_any(root / path, [columns.user, columns.rated_item, columns.item])
        if isinstance(read, Problem):
            problems.append(read)
        else:
            tables[name] = read
            problems += missing_columns(path, read, needs)
    if files.texts and columns.text is None:
        problems.append(
            Problem(f"{files.texts} is given, but not which of its columns holds the text", mend=f"set {_COLUMN}text")
        )
    return tables, problems


def _repeated_texts(files: OwnFiles, tables: dict[str, pd.DataFrame]) -> list[Problem]:
    if "texts" not in tables:
        return []
    ids = as_ids(tables["texts"][files.columns.item])
    repeated = ids[ids.duplicated() & ids.notna()]
    if repeated.empty:
        return []
    named = ", ".join(repeated.unique()[:10])
    return [
        Problem(
            f"{files.texts} has several texts for one item",
            found=f"{repeated.nunique()} items: {named}",
            expected="one row per item",
        )
    ]


def _ratings(files: OwnFiles, table: pd.DataFrame) -> pd.DataFrame:
    columns = files.columns
    ratings = pd.DataFrame(
        {
            "user": table[columns.user],
            "item": table[columns.rated_item],
            "rating": pd.to_numeric(table[columns.rating]),
        }
    )
    return ratings.assign(timestamp=seconds(table[columns.timestamp])) if columns.timestamp else ratings


def _items(files: OwnFiles, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    columns, table = files.columns, tables["items"]
    ids = as_ids(table[columns.item])
    raw = table[columns.title].astype("string")
    parts = [split_year(title) if isinstance(title, str) else (None, None) for title in raw]
    titles = [None if title is None else upright(title) for title, _ in parts]
    year = (
        year_of(table[columns.year])
        if columns.year
        else pd.Series([y for _, y in parts], index=table.index, dtype="Int64")
    )
    genres = table[columns.genres] if columns.genres else pd.Series([None] * len(table), index=table.index)
    if "texts" in tables:
        texts = (
            tables["texts"].assign(key=as_ids(tables["texts"][columns.item])).dropna(subset=["key"]).set_index("key")
        )
        text = ids.map(texts[str(columns.text)])
    else:
        text = table[columns.text] if columns.text else pd.Series(pd.NA, index=table.index)
    text = text.astype("string").str.replace(r"\s+", " ", regex=True).str.strip()
    return pd.DataFrame(
        {
            "item": ids,
            "title": titles,
            "text": text.mask(text == ""),
            "genres": [genre_list(value, files.genre_separator) for value in genres],
            "year": year,
        }
    )
