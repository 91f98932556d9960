"""When something was rated or made, in whatever writing a cell has it."""

from __future__ import annotations

import pandas as pd


def seconds(column: pd.Series) -> pd.Series:
    """Return times as whole seconds since 1970, from numbers or from dates in any usual writing."""
    if pd.api.types.is_numeric_dtype(column):
        return column
    times = pd.to_datetime(column, errors="coerce", utc=True, format="mixed")
    return ((times - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(seconds=1)).astype("Int64")


def year_of(column: pd.Series) -> pd.Series:
    """Return the first four-digit number of each cell as the year: from 1995, "1995-12-01" or "Dec 1995"."""
    return pd.to_numeric(column.astype("string").str.extract(r"(\d{4})", expand=False), errors="coerce").astype("Int64")
