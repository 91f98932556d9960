"""Genres and other categories of items, in whatever writing a cell has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

NO_GENRES = "(no genres listed)"


def genre_list(value: Any, separator: str) -> list[str]:
    """Return genres of one item: lower case, source order, none twice; a list or one text with separators.

    Full stops and commas become spaces, because they structure the text of a state.
    """
    if isinstance(value, str):
        parts: Sequence[Any] = value.split(separator)
    elif value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        parts = []
    else:
        parts = list(value)
    cleaned = (" ".join(str(part).lower().replace(".", " ").replace(",", " ").split()) for part in parts)
    return list(dict.fromkeys(genre for genre in cleaned if genre and genre != NO_GENRES))
