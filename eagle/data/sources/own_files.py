"""The user's own catalogue: CSV or Parquet, column names mapped in params.yaml (docs/own_catalogue.md)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from eagle.config import DataConfig, OwnFiles
from eagle.core.errors import EagleError, Problem
from eagle.data.catalogue import Catalogue, Provenance
from eagle.data.files.opening import sums_at
from eagle.data.files.tables import read_any
from eagle.data.sources.own_values import own_catalogue

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
    tables, problems, notes = _read(files, root)
    if problems:
        raise EagleError(problems)
    sums: dict[str, str] = {}
    for path in (files.ratings, files.items, files.texts):
        sums |= sums_at(root / path) if path else {}
    made = own_catalogue(files, tables, Provenance("files", sums, licence="the user's own data"))
    return replace(made, remarks=(*notes, *made.remarks))


def _read(files: OwnFiles, root: Path) -> tuple[dict[str, pd.DataFrame], list[Problem], list[str]]:
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
    notes: list[str] = []
    for name, needs in wanted.items():
        path = getattr(files, name)
        if path is None:
            if name != "texts":
                problems.append(
                    Problem(f"data.source is files, but data.files.{name} is not set", mend=f"name the {name} file")
                )
            continue
        numbers = [column for column in (columns.rating, columns.timestamp, columns.year) if column]
        try:
            read = read_any(root / path, needs, numbers, files.separator, files.encoding)
        except EagleError as error:
            problems += [_of_texts(problem, files) if name == "texts" else problem for problem in error.problems]
            continue
        if read.table.empty:
            problems.append(Problem(f"{path} has no rows", found="a header alone", expected="a row for each record"))
        tables[name] = read.table
        notes += read.notes
    if files.texts and columns.text is None:
        problems.append(
            Problem(f"{files.texts} is given, but not which of its columns holds the text", mend=f"set {_COLUMN}text")
        )
    return tables, problems, notes


def _of_texts(problem: Problem, files: OwnFiles) -> Problem:
    """Return the problem of the file of texts, whose column of ids has no parameter of its own."""
    item = files.columns.item
    if not problem.what.endswith(f"has no column {item!r}"):
        return problem
    return replace(problem, mend=f"call the column of ids {item!r} in this file too, as {files.items} does")
