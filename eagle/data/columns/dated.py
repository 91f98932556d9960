"""Dates as people and programs write them, brought to a writing that pandas reads as it is meant."""

from __future__ import annotations

import re

import pandas as pd

DAY = r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
"""A day without signs, 20190314."""
_EAST_ASIAN = re.compile(r"^(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]")
_ABOVE = re.compile(r"^\D+?\bon\s+(?=\w)", re.IGNORECASE)
"""Words before a date: ``Reviewed in the United States on March 14, 2019``."""
_ZONE_IN_WORDS = re.compile(r"\s*\([^()\d]*\)$")
_OFFSET = re.compile(r"\b(?:GMT|UTC)\s*(?=[+-]\d)")
"""Programs write GMT+0100 for +0100, which pandas would read the other way round."""
_ZONE = re.compile(
    r"\s*\b(?:[ECMP][SD]T|A[CEW][SD]T|[CEW]ES?T|BST|IST|JST|KST|MSK|HKT|SGT|NZ[SD]T|AK[SD]T|HST)\b(?=\s*$|\s+\d{4}\s*$)"
)
_QUARTER = re.compile(r"^(\d{4})\s*-?\s*Q([1-4])$")
_DATED = r"\d{4}|\d{1,2}[\s./,'-]+\w+[\s./,'-]+\d{2}|[^\W\d]{3,}[\s./,'-]+\d{1,2}[\s./,'-]+\d{2}(?!\d?:)"
"""What a date has and a time of the day has not: a year, or three parts."""
_IN_WORDS = r"(?i).*\d\W+(?:de\W+)?[^\W\d]{3,}\W+(?:de\W+)?\d{4}.*"
"""A day, a word and a year."""


def in_usual_writing(text: pd.Series) -> tuple[pd.Series, str]:
    """Return dates without words around them, and the name of a time zone that was taken away (or nothing)."""
    usual = text.str.strip()
    if usual.str.fullmatch(r"[\d\s:./T+Z-]*").fillna(True).all():
        return usual, ""
    usual = usual.str.replace(_EAST_ASIAN, r"\1-\2-\3", regex=True).str.replace(_ABOVE, "", regex=True)
    usual = usual.str.replace(_QUARTER, lambda found: f"{found[1]}-{3 * int(found[2]) - 2:02d}", regex=True)
    usual = usual.str.replace(_ZONE_IN_WORDS, "", regex=True).str.replace(_OFFSET, "", regex=True)
    zones = usual.str.extract(f"({_ZONE.pattern})", expand=False).dropna()
    return usual.str.replace(_ZONE, "", regex=True), str(zones.iloc[0]).strip() if len(zones) else ""


def parsed(text: pd.Series, day_first: bool) -> pd.Series:
    """Read dates; what has none, as 10:15, is missing: pandas would take the day on which it reads."""
    text = text.where(text.str.contains(_DATED, regex=True).fillna(False).astype(bool))
    found = pd.to_datetime(text, errors="coerce", utc=True, format="mixed", dayfirst=day_first)
    return found.astype("datetime64[us, UTC]")


def why_unread(cells: pd.Series) -> str:
    """Return a word on cells that are dates in words, where most are, of another language; nothing else."""
    named = cells.astype("string").str.fullmatch(_IN_WORDS).fillna(False)
    return "; names of months are read in English alone: write dates as 2019-03-14" if named.mean() > 0.5 else ""
