"""Rows of the user's own files in words: where they stand, and the first of many."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import pandas as pd

NAMED_ROWS = 10
"""Rows that an error names."""
SHOWN = 3
"""Values of each side that a comparison shows."""
LETTERS = 60
"""Letters of a cell that an error shows."""


def place(label: Hashable, index: pd.Index) -> str:
    """Return where the row with this label of ``index`` stands in the user's file: "line 17", or "row 17" of Parquet.

    In a folder of parts the part is named too.
    """
    if isinstance(label, tuple):
        return f"{index.names[-1]} {label[-1]} of {label[0]}"
    return f"{index.name or 'row'} {label}"


def listed(rows: pd.Series) -> str:
    """Return the first cells with their places: ``line 3: 'good'; line 9: '?'; and 4 more``."""
    named = "; ".join(
        f"{place(label, rows.index)}: {_short(value)!r}" for label, value in rows.head(NAMED_ROWS).items()
    )
    return f"{named}; and {len(rows) - NAMED_ROWS:,} more" if len(rows) > NAMED_ROWS else named


def some(values: Iterable[object], shown: int = SHOWN) -> str:
    """Return the first values and how many more there are: ``'a', 'b', 'c' and 7 more``."""
    every = list(values)
    words = ", ".join(repr(cut(str(value))) for value in every[:shown])
    return f"{words} and {len(every) - shown:,} more" if len(every) > shown else words


def cut(text: str, letters: int = LETTERS) -> str:
    """Return the text, or its first letters and an ellipsis: a cell may hold a whole review."""
    return text if len(text) <= letters else f"{text[:letters]}..."


def _short(value: object) -> object:
    return cut(value) if isinstance(value, str) else value


def number_of(count: int, noun: str, nouns: str | None = None) -> str:
    """Return ``1 rating`` or ``2,500 ratings``."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def share(part: int, whole: int) -> str:
    """Return a share in words a reader can trust: ``62%``, ``under 1%``; a whole of nothing is 0%."""
    if not part or not whole:
        return "0%"
    return f"{100 * part / whole:.0f}%" if 100 * part >= whole else "under 1%"


def either(words: Sequence[str]) -> str:
    """Return ``a``, ``a or b``, ``a, b or c``."""
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""
