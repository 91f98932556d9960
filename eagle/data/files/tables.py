"""Reading tables from outside: a path becomes a table with the columns that are wanted, or one error with all that is
wrong.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pandas as pd

from eagle.core.errors import EagleError, user_error
from eagle.data.columns.rows import cut
from eagle.data.files.byte_literals import without_bytes
from eagle.data.files.delimited import read_delimited
from eagle.data.files.encodings import as_utf8
from eagle.data.files.opening import Part, parts_at
from eagle.data.files.parquet import column_names, read_parquet
from eagle.data.files.separators import head_of

_NAMED = 5


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
        try:
            if part.parquet:
                table = read_parquet(part.name, part.content, inside)
            else:
                read = read_delimited(part.name, part.content, inside, separator, encoding)
                table = read.table
                notes += read.notes
        except EagleError as error:
            raise _of_several(path, encoding) or error from None
        tables[part.name] = _with_values(table, part, wanted)
    if len({_kind(name) for name in tables}) > 1:
        names = ", ".join(Path(name).name for name in tables)
        notes.append(f"{path}: {len(tables)} files read as one table: {cut(names)}")
    if len({table.index.name for table in tables.values()}) > 1:
        raise user_error(f"{path} mixes Parquet and separated text", mend="name a folder of parts of one table")
    table = next(iter(tables.values())) if len(tables) == 1 else _joined(path, tables)
    table, printed = without_bytes(table)
    if printed:
        notes.append(f"{path}: bytes as Python prints them (b'...') are read as text in {', '.join(printed)}")
    return TableFile(_numbered(table, numbers), tuple(notes))


def names_in(part: Part, encoding: str | None = None) -> list[str]:
    """Return the names of a part's columns as its header has them."""
    if part.parquet:
        return column_names(part.content)
    return list(head_of(as_utf8(part.name, part.content, encoding)[0], []).names)


def _of_several(path: Path, encoding: str | None) -> EagleError | None:
    """Return the error of a folder whose parts have different columns; None where that is not what is wrong."""
    try:
        heads = {part.name: names_in(part, encoding) for part in parts_at(path)}
    except EagleError:
        return None
    if len({frozenset(names) for names in heads.values()}) < 2:
        return None
    said = "".join(f"\n    {Path(name).name}: {cut(', '.join(names))}" for name, names in list(heads.items())[:_NAMED])
    more = f"\n    and {len(heads) - _NAMED} more" if len(heads) > _NAMED else ""
    return user_error(
        f"{path} is a folder of several tables, not of parts of one",
        found=f"different columns{said}{more}",
        expected="one file, or a folder of files with the same columns",
        mend="name the one file in it that is meant",
    )


def _kind(name: str) -> str:
    """Return a file's name without what tells parts of a table apart: numbers and random signs."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]+|\d+|[\W_]+", " ", Path(name).name).strip()


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
