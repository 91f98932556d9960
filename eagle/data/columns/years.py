"""When something was made, in whatever writing a cell has it."""

from __future__ import annotations

import pandas as pd

from eagle.data.columns.dated import DAY
from eagle.data.columns.rows import listed, number_of

_BEFORE_CHRIST = r"(?i)^(?:c(?:a|irca)?\.?\s*)?(\d{1,4})\s*b\.?\s*c\.?(?:\s*e\.?)?$"


def year_of(column: pd.Series) -> pd.Series:
    """Return the year of each cell: a number as it is, else the first four digits that stand alone or begin a date.

    From 1995, "1995-12-01", "19951201", "Dec 1995" or "c. 500 BC" (-500); missing where a cell has none.
    """
    text = column.astype("string").str.strip()
    number = pd.to_numeric(text.where(text.str.fullmatch(r"[+-]?\d{1,4}(?:\.0+)?").fillna(False)), errors="coerce")
    found = text.str.extract(r"(?<!\d)(\d{4})(?!\d)", expand=False).fillna(
        text.str.extract(rf"^({DAY})", expand=False).str.slice(stop=4)
    )
    old = pd.to_numeric(text.str.extract(_BEFORE_CHRIST, expand=False), errors="coerce")
    return (-old).fillna(number).fillna(pd.to_numeric(found, errors="coerce")).astype("Float64").astype("Int64")


def read_years(name: str, column: pd.Series, oldest: int, latest: int) -> tuple[pd.Series, tuple[str, ...]]:
    """Return the years (Int64) from ``oldest`` to ``latest``, missing where a cell has none, and these in words.

    There was no year 0: files write it where the year is unknown, and so they do with -1.
    """
    years = year_of(column)
    years = years.where((years.between(oldest, latest) & ~years.isin([0, -1])).fillna(False).astype(bool))
    where = f"in column {column.name!r}"
    said = []
    lost = column[years.isna() & column.notna()]
    if len(lost):
        hold = "holds" if len(lost) == 1 else "hold"
        said.append(
            f"{name}: {number_of(len(lost), 'cell')} {where} {hold} no year from {oldest} to {latest}: "
            f"{listed(lost.head(3))}"
        )
    short = column[years.between(0, 99).fillna(False).astype(bool)]
    if len(short):
        said.append(
            f"{name}: {number_of(len(short), 'year')} {where} of two digits taken as they are: {listed(short.head(3))}"
            "; write 1995 for 95"
        )
    return years, tuple(said)
