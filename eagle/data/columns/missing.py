"""Words that programs write where a value is missing: one place for all columns."""

from __future__ import annotations

import pandas as pd

_OF_SHEETS = r"#(?:n/a|name\?|ref!|value!|div/0!|num!|null!)"
WORDS = rf"nan|none|[(\[<]?null[)\]>]?|<na>|nat|n/a|undefined|{_OF_SHEETS}"
"""What stands for a missing value in any column, in any case; each kind of column adds its own."""


def missing_words(column: pd.Series) -> pd.Series:
    """Return which cells hold nothing but a word for a missing value; ``NA`` is one only in capitals, as R writes."""
    text = column[[isinstance(cell, str) for cell in column]].astype("string").str.strip()
    found = text.str.fullmatch(rf"(?i:{WORDS})|NA").fillna(False).astype(bool)
    return found.reindex(column.index, fill_value=False)
