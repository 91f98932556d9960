"""When something was rated or made, in whatever writing a cell has it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eagle.core.errors import Problem
from eagle.data.columns.rows import listed, number_of

_SECOND = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
_FIRST_FAR = 10**11
"""Seconds since 1970 from here on would lie beyond the year 5000: the column counts in a smaller unit."""
_DAY_MONTH = re.compile(r"^\s*(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})\b")
_COMPACT = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_EPOCH = pd.Timestamp(0, tz="UTC")


@dataclass(frozen=True)
class Times:
    """Whole seconds since 1970 (Int64), how they were written, and what could not be read."""

    seconds: pd.Series
    written: str = "seconds"
    remarks: tuple[str, ...] = ()
    problem: Problem | None = None


def seconds(column: pd.Series) -> pd.Series:
    """Return times as whole seconds since 1970, from numbers or from dates in any usual writing."""
    return read_times("times", column).seconds


def read_times(name: str, column: pd.Series, day_first: bool | None = None) -> Times:
    """Read seconds, milliseconds, ISO dates or dates with one order of day and month for the whole column.

    ``name`` is the file's, for words. A column that fits no order, or fits both and ``day_first`` does not say which,
    is a problem; single cells that are no time become missing and are counted.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        return Times(_since_1970(pd.to_datetime(column, utc=True)), "dates")
    numbers = pd.to_numeric(column, errors="coerce")
    given = column.notna()
    if given.any() and not pd.api.types.is_bool_dtype(column) and numbers[given].notna().mean() > 0.5:
        return _from_numbers(name, column, numbers)
    return _from_dates(name, column, day_first)


def _since_1970(times: pd.Series) -> pd.Series:
    return ((times - _EPOCH) // pd.Timedelta(seconds=1)).astype("Int64")


def _from_numbers(name: str, column: pd.Series, numbers: pd.Series) -> Times:
    known = numbers.dropna()
    text = known.map("{:.0f}".format) if len(known) else known.astype("string")
    if (known % 1 == 0).all() and text.str.fullmatch(_COMPACT.pattern).all():
        dates = pd.to_datetime(text, format="%Y%m%d", errors="coerce", utc=True).reindex(column.index)
        return Times(_since_1970(dates), "dates as 20190314", _unread(name, column, dates.isna() & column.notna()))
    typical = float(known.abs().median())
    unit = next((unit for unit, size in _SECOND.items() if typical < _FIRST_FAR * size), "nanoseconds")
    if pd.api.types.is_integer_dtype(numbers):
        whole = numbers // _SECOND[unit]
    else:
        whole = np.floor(numbers / _SECOND[unit] + 1e-6) if unit != "seconds" else numbers.round()
    return Times(whole.astype("Int64"), unit, _unread(name, column, numbers.isna() & column.notna()))


def _from_dates(name: str, column: pd.Series, day_first: bool | None) -> Times:
    text = column.astype("string").str.strip()
    parts = text.str.extract(_DAY_MONTH)
    ordered = parts[0].notna()
    problem, order = None, bool(day_first)
    if ordered.any():
        first, second = (pd.to_numeric(parts[at]) for at in (0, 2))
        problem, order = _order(name, column, first[ordered], second[ordered], set(parts[1].dropna()), day_first)
    times = _parsed(text.mask(ordered), False).fillna(_parsed(text.where(ordered), order))
    unread = times.isna() & text.notna() & (text != "")
    if problem is None and len(text.dropna()) and times.isna().all():
        problem = Problem(
            f"{name}: no cell of column {column.name!r} is a time",
            found=listed(column[unread]),
            expected="seconds or milliseconds since 1970, or dates as 2019-03-14",
            mend="correct data.files.columns.timestamp, or set it to null: times are optional",
        )
    written = f"dates, {'day' if order else 'month'} first" if ordered.any() else "dates"
    return Times(_since_1970(times), written, _unread(name, column, unread), problem)


def _parsed(text: pd.Series, day_first: bool) -> pd.Series:
    found = pd.to_datetime(text, errors="coerce", utc=True, format="mixed", dayfirst=day_first)
    return found.astype("datetime64[us, UTC]")


def _order(
    name: str, column: pd.Series, first: pd.Series, second: pd.Series, signs: set[str], day_first: bool | None
) -> tuple[Problem | None, bool]:
    """Return whether the day stands first, and the problem of a column in which that cannot be told or changes."""
    says_day, says_month = first > 12, second > 12
    if says_day.any() and says_month.any():
        rows = [column[where[where].index].head(1) for where in (says_day, says_month)]
        return Problem(
            f"{name}: dates in column {column.name!r} have the day first in some rows and the month in others",
            found=f"{number_of(int(says_day.sum()), 'row')} with the day first ({listed(rows[0])}), "
            f"{number_of(int(says_month.sum()), 'row')} with the month first ({listed(rows[1])})",
            expected="one order for the whole column",
            mend="write dates as 2019-03-14 where the file is made",
        ), False
    if says_day.any() or says_month.any():
        seen = bool(says_day.any())
        if day_first is not None and day_first != seen:
            shown = column[first.index][says_day if seen else says_month].head(1)
            return Problem(
                f"{name}: data.files.day_first does not fit column {column.name!r}",
                found=f"{str(day_first).lower()}, and {listed(shown)}",
                mend="correct data.files.day_first, or leave it out: this column shows its order",
            ), seen
        return None, seen
    if day_first is not None:
        return None, day_first
    if signs == {"."}:  # written with full stops, dates have the day first everywhere
        return None, True
    return Problem(
        f"{name}: dates in column {column.name!r} may have the day or the month first",
        found=listed(column[first.index].head(3)),
        expected="a date with a day above 12 somewhere, or dates as 2019-03-14",
        mend="set data.files.day_first: true or false",
    ), False


def _unread(name: str, column: pd.Series, unread: pd.Series) -> tuple[str, ...]:
    if not unread.any():
        return ()
    rows = column[unread]
    return (
        f"{name}: {number_of(len(rows), 'time')} in column {column.name!r} could not be read: {listed(rows.head(3))}",
    )


def year_of(column: pd.Series) -> pd.Series:
    """Return the year of each cell: a number as it is, else the first four digits that stand alone or begin a date.

    From 1995, "1995-12-01", "19951201" or "Dec 1995"; missing where a cell has none.
    """
    text = column.astype("string").str.strip()
    number = pd.to_numeric(text.where(text.str.fullmatch(r"[+-]?\d{1,4}(?:\.0+)?").fillna(False)), errors="coerce")
    found = text.str.extract(r"(?<!\d)(\d{4})(?!\d)", expand=False).fillna(
        text.str.extract(rf"^({_COMPACT.pattern})", expand=False).str.slice(stop=4)
    )
    return number.fillna(pd.to_numeric(found, errors="coerce")).astype("Float64").astype("Int64")


def read_years(name: str, column: pd.Series, oldest: int, latest: int) -> tuple[pd.Series, tuple[str, ...]]:
    """Return the years (Int64) from ``oldest`` to ``latest``, missing where a cell has none, and these in words.

    There was no year 0: files write it where the year is unknown.
    """
    years = year_of(column)
    years = years.where((years.between(oldest, latest) & (years != 0)).fillna(False).astype(bool))
    lost = column[years.isna() & column.notna()]
    if lost.empty:
        return years, ()
    hold = "holds" if len(lost) == 1 else "hold"
    return years, (
        f"{name}: {number_of(len(lost), 'cell')} in column {column.name!r} {hold} no year from {oldest} to {latest}: "
        f"{listed(lost.head(3))}",
    )
