"""Which items become anchors: the starting points whose transitions are cached."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from eagle.core.errors import user_error
from eagle.core.seeding import stream

_log = logging.getLogger(__name__)


def spread_over(items: pd.DataFrame, count: int, seed: int, name: str) -> pd.DataFrame:
    """Return ``count`` rows, evenly spaced over genre and, within a genre, year (systematic sampling from a drawn
    start).

    ``items`` has item, genres (lists) and year; genres count by their first name, the items' order does not matter.
    """
    first = items["genres"].map(lambda genres: genres[0] if len(genres) else "")
    ordered = items.assign(_first=first).sort_values(["_first", "year", "item"], kind="stable").drop(columns="_first")
    start = stream(seed, "anchors", name).random()
    places = np.floor((np.arange(count) + start) * len(ordered) / max(count, 1)).astype(int)
    return ordered.iloc[places]


def choose_anchors(descriptions: pd.DataFrame, splits: pd.DataFrame, split: str, count: int, seed: int) -> pd.DataFrame:
    """Return ``count`` anchors (item, text, genres, plot, year, origin, split) out of one split's items.

    Items with a plot come first; where they do not suffice, items with a genre line only fill up, with a warning.
    EagleError where the split holds fewer items than asked.
    """
    items = descriptions[descriptions["item"].isin(splits.loc[splits["split"] == split, "item"])]
    if len(items) < count:
        raise user_error(
            f"too few {split} items to draw anchors from",
            found=f"{len(items)} {split} items with a description",
            expected=f"at least {count} (actions.{split}_anchors)",
            mend=f"lower actions.{split}_anchors, or use a larger catalogue",
        )
    has_plot = items["origin"].isin(["source", "llm"]) & (items["plot"].fillna("") != "")
    with_plot = spread_over(items[has_plot], min(count, int(has_plot.sum())), seed, split)
    lacking = count - len(with_plot)
    if lacking:
        _log.warning(
            "%d of %d %s anchors have a genre line but no plot: changes to them are weaker. Texts for the items "
            "(data.files.texts) or describe.write_at_most mend this.",
            lacking,
            count,
            split,
        )
    filled = spread_over(items[~has_plot], lacking, seed, f"{split}-filled")
    return pd.concat([with_plot, filled]).assign(split=split).sort_values("item").reset_index(drop=True)
