"""Ratings as numbers: what is no number, and what is no rating."""

from __future__ import annotations

import pandas as pd

from eagle.core.errors import Problem

NAMED_ROWS = 10


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
