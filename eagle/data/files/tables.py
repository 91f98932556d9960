"""Reading tables from outside: a path becomes a table with the columns that are wanted, or one error with all that is
wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pandas as pd

from eagle.core.errors import user_error
from eagle.data.files.delimited import read_delimited
from eagle.data.files.opening import Part, parts_at
from eagle.data.files.parquet import read_parquet


@dataclass(frozen=True)
class TableFile:
    """A table and what is worth a word about how it was read."""

    table: pd.DataFrame
    """Wanted columns. The index says where each row stands in the user's file, see :mod:`eagle.data.columns.rows`."""
    notes: tuple[str, ...] = ()


def read_any(
    path: Path,
    wanted: Mapping[str, str | None],
    numbers: Collection[str] = (),
    separator: str | None = None,
    encoding: str | None = None,
) -> TableFile:
    """Read separated text or Parquet, compressed or not, one file or a folder of parts.

    ``wanted`` maps parameters to names of columns; those in ``numbers`` become numbers where every cell is one, and all
    others stay as they are written: ``"007"`` is not 7, and "NA" may be a title. Kind, encoding, separator and quoting
    are seen in the file where the parameters do not give them. Raises one
    :class:`~eagle.core.errors.EagleError` with all that is wrong with the file.
    """
    notes: list[str] = []
    tables: dict[str, pd.DataFrame] = {}
    for part in parts_at(path):
        inside = {parameter: column for parameter, column in wanted.items() if column not in part.values}
        if part.parquet:
            table = read_parquet(part.name, part.content, inside)
        else:
            read = read_delimited(part.name, part.content, inside, separator, encoding)
            table = read.table
            notes += read.notes
        tables[part.name] = _with_values(table, part, wanted)
    if len({table.index.name for table in tables.values()}) > 1:
        raise user_error(f"{path} mixes Parquet and separated text", mend="name a folder of parts of one table")
    table = next(iter(tables.values())) if len(tables) == 1 else _joined(path, tables)
    return TableFile(_numbered(table, numbers), tuple(notes))


def read_csv(source: Path | IO[bytes]) -> pd.DataFrame:
    """Read a CSV whose form is known, as an official archive's; only an empty cell is missing ("NA" may be a title)."""
    return pd.read_csv(source, keep_default_na=False, na_values=[""], encoding="utf-8-sig")


def _with_values(table: pd.DataFrame, part: Part, wanted: Mapping[str, str | None]) -> pd.DataFrame:
    given = {column: value for column, value in part.values.items() if column in wanted.values()}
    return table.assign(**{column: pd.Series(value, table.index, dtype="string") for column, value in given.items()})


def _joined(path: Path, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return parts below each other; the index holds the part and the place in it."""
    named = {str(Path(name).relative_to(path)) if name.startswith(str(path)) else name: t for name, t in tables.items()}
    return pd.concat(named, names=["part"])


def _numbered(table: pd.DataFrame, numbers: Collection[str]) -> pd.DataFrame:
    """Turn text into numbers, column by column, where no cell is anything else."""
    changed = {}
    for name in numbers:
        if name in table and pd.api.types.is_string_dtype(table[name]):
            column = table[name].astype("object").where(table[name].notna(), None)
            read = pd.to_numeric(column, errors="coerce")
            if (read.isna() == table[name].isna()).all():
                changed[name] = read
    return table.assign(**changed)
