"""The user's own catalogue: CSV or Parquet, column names mapped in params.yaml (docs/own_catalogue.md)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from eagle.config import DataConfig, OwnFiles
from eagle.core.errors import EagleError, Problem
from eagle.data.catalogue import Catalogue, Provenance
from eagle.data.own_values import own_catalogue
from eagle.data.packages import sha256_of
from eagle.data.tables import missing_columns, read_any

_COLUMN = "data.files.columns."


class UsersFiles:
    """The source of ``data.source: files``."""

    def read(self, data: DataConfig, root: Path) -> Catalogue:
        """Return what ``data.files`` describes."""
        return own_files(data.files, root)


def own_files(files: OwnFiles, root: Path) -> Catalogue:
    """Return the catalogue that ``data.files`` describes; relative paths start at ``root``.

    Raises one :class:`~eagle.core.errors.EagleError` with every missing file and column, or with all that is wrong in
    the cells.
    """
    tables, problems = _read(files, root)
    if problems:
        raise EagleError(problems)
    paths = [root / path for path in (files.ratings, files.items, files.texts) if path]
    source = Provenance("files", {path.name: sha256_of(path) for path in paths}, licence="the user's own data")
    return own_catalogue(files, tables, source)


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
