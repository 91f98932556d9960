"""When something was rated, in whatever writing a cell has it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eagle.core.errors import Problem
from eagle.data.columns.dated import DAY, in_usual_writing, parsed, why_unread
from eagle.data.columns.rows import listed, number_of

_SECOND = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
_FIRST_FAR = 10**11
"""Seconds since 1970 from here on would lie beyond the year 5000: the column counts in a smaller unit."""
_DAY_MONTH = re.compile(r"^\s*(\d{1,2})([/.\s-])(\d{1,2})\2(\d{4}|\d{2})\b")
_DAY_BEFORE_MONTH = r"^\d{4}[/.-](?:1[3-9]|2\d|3[01])[/.-](?:0?[1-9]|1[0-2])\b"
_COMPACT = {  # digits: (pattern, format, in words); ten digits count seconds
    4: (r"(?:19|20)\d\d", "%Y", "years"),
    6: (r"(?:19|20)\d\d(?:0[1-9]|1[0-2])", "%Y%m", "dates as 201903"),
    8: (DAY, "%Y%m%d", "dates as 20190314"),
    12: (rf"{DAY}(?:[01]\d|2[0-3])[0-5]\d", "%Y%m%d%H%M", "dates as 201903141015"),
    14: (rf"{DAY}(?:[01]\d|2[0-3])(?:[0-5]\d){{2}}", "%Y%m%d%H%M%S", "dates as 20190314101500"),
}
_COARSE = 100_000
"""Seconds of which every time is a multiple where digits are lost; a day has 86,400."""
_FEW = 5
"""Different times below which that may be chance [ours]."""
_FARTHEST = 10**12
"""Seconds since 1970 beyond which a number is no time (the year 33658)."""
EARLIEST, LATEST = pd.Timestamp("1995-01-01"), pd.Timestamp("2100-01-01")
"""When hardly anybody rated anything in a file yet, and when nobody has [ours]. Seconds since 2001, as Apple counts
them, would lie before 1995 until 2026."""
_SHEET = (20_000, 80_000)
"""Days since 1900 as spreadsheets count them, from 1954 to 2119."""


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
        return Times(_since_1970(column), "dates")
    numbers = pd.to_numeric(column, errors="coerce")
    numbers = numbers.where(np.isfinite(numbers.astype("float64")))
    given = column.notna()
    if given.any() and not pd.api.types.is_bool_dtype(column) and numbers[given].notna().mean() > 0.5:
        return _from_numbers(name, column, numbers)
    return _from_dates(name, column, day_first)


def _since_1970(times: pd.Series) -> pd.Series:
    zone = getattr(times.dt, "tz", None)
    moments = (times.dt.tz_convert("UTC").dt.tz_localize(None) if zone else times).to_numpy("datetime64[us]")
    whole = pd.Series(moments.astype("int64") // 10**6, times.index, dtype="Int64")
    return whole.mask(times.isna())


def _from_numbers(name: str, column: pd.Series, numbers: pd.Series) -> Times:
    known = numbers.dropna()
    form = _compact(known)
    if form is not None:
        text = known.map("{:.0f}".format)
        dates = pd.to_datetime(text, format=form[1], errors="coerce").reindex(column.index)
        return Times(_since_1970(dates), form[2], _unread(name, column, dates.isna() & column.notna()))
    typical = float(known.abs().median())
    unit = next((unit for unit, size in _SECOND.items() if typical < _FIRST_FAR * size), "nanoseconds")
    if pd.api.types.is_integer_dtype(numbers):
        whole = numbers // _SECOND[unit]
    else:
        whole = np.floor(numbers / _SECOND[unit] + 1e-6) if unit != "seconds" else numbers.round()
    whole = whole.where(whole.abs() <= _FARTHEST).astype("Int64")
    return Times(whole, unit, _unread(name, column, whole.isna() & column.notna()) + _rounded(name, column, whole))


def _rounded(name: str, column: pd.Series, whole: pd.Series) -> tuple[str, ...]:
    """Say where times are as coarse as scientific notation leaves them: 1.55E+09 is known to a hundred days."""
    known = whole.dropna()
    if known.nunique() < _FEW or (known % _COARSE != 0).any():
        return ()
    return (
        f"{name}: times in column {column.name!r} have lost their last digits, as in scientific notation: "
        f"{listed(column.loc[known.index].head(3))}; which of two ratings is the later one may be lost",
    )


def _compact(known: pd.Series) -> tuple[str, str, str] | None:
    """Return the form of numbers that are dates written without signs, as 20190314; None where they count a unit."""
    if known.empty or known.min() < 1000:
        return None
    digits = len(f"{known.min():.0f}")
    form = _COMPACT.get(digits)
    if form is None or len(f"{known.max():.0f}") != digits or not (known % 1 == 0).all():
        return None
    return form if known.map("{:.0f}".format).str.fullmatch(form[0]).all() else None


def improbable(name: str, column: pd.Series, seconds: pd.Series) -> tuple[str, ...]:
    """Return in words which times of a column (``seconds`` since 1970) lie where no rating can; they stay as read."""
    known = seconds.dropna()
    far = known[(known < EARLIEST.timestamp()) | (known >= LATEST.timestamp())]
    if far.empty:
        return ()
    why = "are all of them seconds since 1970, and not since 2001, or dates?"
    if pd.api.types.is_numeric_dtype(column) and column.loc[far.index].between(*_SHEET).all():
        why = "they look like days as a spreadsheet counts them: write dates as 2019-03-14"
    return (
        f"{name}: {number_of(len(far), 'time')} of {len(known):,} in column {column.name!r} would lie before "
        f"{EARLIEST.year} or after {LATEST.year - 1}: {listed(column.loc[far.index].head(3))}; {why}",
    )


def _from_dates(name: str, column: pd.Series, day_first: bool | None) -> Times:
    text, zone = in_usual_writing(column.astype("string"))
    parts = text.str.extract(_DAY_MONTH)
    ordered = parts[0].notna()
    problem, order = _day_before_month(name, column, text), bool(day_first)
    if ordered.any():
        first, second = (pd.to_numeric(parts[at]) for at in (0, 2))
        problem, order = _order(name, column, first[ordered], second[ordered], set(parts[1].dropna()), day_first)
    times = parsed(text.mask(ordered), False).fillna(parsed(text.where(ordered), order))
    unread = times.isna() & text.notna() & (text != "")
    if problem is None and len(text.dropna()) and times.isna().all():
        problem = Problem(
            f"{name}: no cell of column {column.name!r} is a time",
            found=f"{listed(column[unread])}{why_unread(column[unread])}",
            expected="seconds or milliseconds since 1970, or dates as 2019-03-14",
            mend="correct data.files.columns.timestamp, or set it to null: times are optional",
        )
    written = f"dates, {'day' if order else 'month'} first" if ordered.any() else "dates"
    said = _unread(name, column, unread)
    if zone:
        said += (
            f"{name}: names of time zones in column {column.name!r}, as {zone}, passed over: all times count as UTC",
        )
    return Times(_since_1970(times), written, said, problem)


def _day_before_month(name: str, column: pd.Series, text: pd.Series) -> Problem | None:
    odd = column[text.str.contains(_DAY_BEFORE_MONTH).fillna(False).astype(bool)]
    if odd.empty:
        return None
    return Problem(
        f"{name}: dates in column {column.name!r} have the day between year and month",
        found=listed(odd.head(3)),
        expected="year, month, day",
        mend="write dates as 2019-03-14 where the file is made",
    )


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
        f"{name}: {number_of(len(rows), 'time')} in column {column.name!r} could not be read: {listed(rows.head(3))}"
        f"{why_unread(rows)}",
    )
