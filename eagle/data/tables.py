"""Reading tables from outside: every problem of a file is a :class:`~eagle.core.errors.Problem`, so that all are told
at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pyarrow as pa

from eagle.core.errors import Problem, did_you_mean

NO_GENRES = "(no genres listed)"
NAMED_ROWS = 10
_UNREADABLE = (
    pd.errors.ParserError,
    pd.errors.EmptyDataError,
    UnicodeDecodeError,
    OSError,
    pa.ArrowInvalid,
    pa.ArrowTypeError,
)


def read_any(path: Path, ids: Iterable[str]) -> pd.DataFrame | Problem:
    """Read a CSV (also compressed, as ``.csv.gz``; tab-separated as ``.tsv``) or Parquet file; ``ids`` names columns to
    keep as text.
    """
    kind = "".join(path.suffixes).lower()
    if not path.is_file():
        return Problem(f"{path} does not exist", mend=_near(path))
    try:
        if ".parquet" in kind or ".pq" in kind:
            return pd.read_parquet(path)
        if ".csv" in kind or ".tsv" in kind or ".txt" in kind:
            return read_csv(path, ids, "\t" if ".tsv" in kind else ",")
    except _UNREADABLE as error:
        return Problem(
            f"{path} cannot be read as a table",
            found=str(error),
            expected="CSV in UTF-8 with a header line, or Parquet",
        )
    return Problem(
        f"{path} is of no known kind",
        found=path.suffix or "no ending",
        expected="a name that ends in .csv, .tsv or .parquet",
    )


def read_csv(source: Path | IO[bytes], ids: Iterable[str], separator: str = ",") -> pd.DataFrame:
    """Read a CSV; id columns stay text (``"007"`` is not 7) and only an empty cell is missing ("NA" may be a title)."""
    return pd.read_csv(
        source,
        sep=separator,
        dtype=dict.fromkeys(ids, "string"),
        keep_default_na=False,
        na_values=[""],
        encoding="utf-8-sig",
    )


def _near(path: Path) -> str:
    if not path.parent.is_dir():
        return f"the folder {path.parent} does not exist either"
    return did_you_mean(path.name, [p.name for p in path.parent.iterdir()])


def missing_columns(path: object, table: pd.DataFrame, wanted: Mapping[str, str | None]) -> list[Problem]:
    """Return one problem for each wanted column (parameter -> name) that the table lacks."""
    present = [str(column) for column in table.columns]
    return [
        Problem(
            f"{path} has no column {name!r}",
            found=f"columns {', '.join(present) or 'none'}",
            mend=f"set {parameter}" + (f"; {hint}" if (hint := did_you_mean(str(name), present)) else ""),
        )
        for parameter, name in wanted.items()
        if name is not None and name not in present
    ]


def not_numbers(path: object, column: pd.Series) -> Problem | None:
    """Return the problem of a column that holds something else than numbers, with its first rows; None where all is
    well.
    """
    wrong = column[pd.to_numeric(column, errors="coerce").isna() & column.notna()]
    if wrong.empty:
        return None
    rows = "; ".join(f"row {row}: {value!r}" for row, value in wrong.head(NAMED_ROWS).items())
    more = f"; and {len(wrong) - NAMED_ROWS} more" if len(wrong) > NAMED_ROWS else ""
    return Problem(
        f"{path}: column {column.name!r} holds what is not a number",
        found=rows + more,
        expected="a number in every row",
    )


def genre_list(value: Any, separator: str) -> list[str]:
    """Return genres of one item: lower case, source order, none twice; a list or one text with separators.

    Full stops and commas become spaces, because they structure the text of a state.
    """
    if isinstance(value, str):
        parts: Sequence[Any] = value.split(separator)
    elif value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        parts = []
    else:
        parts = list(value)
    cleaned = (" ".join(str(part).lower().replace(".", " ").replace(",", " ").split()) for part in parts)
    return list(dict.fromkeys(genre for genre in cleaned if genre and genre != NO_GENRES))


def seconds(column: pd.Series) -> pd.Series:
    """Return times as whole seconds since 1970, from numbers or from dates in any usual writing."""
    if pd.api.types.is_numeric_dtype(column):
        return column
    times = pd.to_datetime(column, errors="coerce", utc=True, format="mixed")
    return ((times - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(seconds=1)).astype("Int64")


def year_of(column: pd.Series) -> pd.Series:
    """Return the first four-digit number of each cell as the year: from 1995, "1995-12-01" or "Dec 1995"."""
    return pd.to_numeric(column.astype("string").str.extract(r"(\d{4})", expand=False), errors="coerce").astype("Int64")
