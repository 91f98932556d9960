"""Curves: one CSV row per update, ``update`` first; missing figures stay empty."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from eagle.core.artifacts import complete_or_absent


def read_curve(path: Path) -> pd.DataFrame:
    """Return a curve, one row per update; a missing figure is NaN."""
    return pd.read_csv(path)


def write_curve(path: Path, table: pd.DataFrame) -> None:
    """Write a curve with ``update`` as the first column."""
    ordered = table[["update", *(c for c in table.columns if c != "update")]]
    with complete_or_absent(path) as draft:
        ordered.to_csv(draft, index=False, float_format="%.6g")
