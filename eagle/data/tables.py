"""Reading tables from outside: every problem of a file is a :class:`~eagle.core.errors.Problem`, so that all are told
at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa

from eagle.core.errors import Problem, did_you_mean

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
