"""A made-up comparison whose answers are known by construction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

ANCHORS = ("i1", "i2", "i3", "i4", "i5", "i6")
USERS = ("u1", "u2", "u3", "u4", "u5")
TASTES = ("crime", "romance")
PLOTS = {
    "crime": "A detective hunts a murderer through the night streets of the harbour city",
    "romance": "Two strangers fall in love on a summer wedding at the quiet sea",
}


def line(genre: str, plot: str) -> str:
    return f"Genres: {genre}. Plot: {plot}."


@pytest.fixture
def cases() -> pd.DataFrame:
    rows = [(anchor, user) for anchor in ANCHORS for user in USERS]
    table = pd.DataFrame(rows, columns=["anchor", "user"])
    table.insert(0, "case", np.arange(len(table)))
    table["text"] = [
        line("drama", f"An old farmer number {anchor} keeps his land against all odds") for anchor in table["anchor"]
    ]
    table["year"] = pd.Series([1990] * len(table), dtype=object)
    return table


@pytest.fixture
def rated() -> tuple[pd.DataFrame, dict[str, tuple[str, int | None]]]:
    """Ratings of 40 users on 60 items: one half of the users loves crime and the other romance; rating = 3 +- 1.5 +
    noise.
    """
    rng = np.random.default_rng(0)
    texts: dict[str, tuple[str, int | None]] = {}
    for item in range(60):
        genre = TASTES[item % 2]
        texts[f"m{item}"] = (line(genre, f"{PLOTS[genre]} and part {item}"), 1980 + item % 20)
    rows = [
        (f"u{user}", item, 3 + (1.5 if (user % 2 == 0) == (index % 2 == 0) else -1.5) + 0.3 * rng.normal())
        for user in range(40)
        for index, item in enumerate(texts)
        if rng.random() < 0.6
    ]
    return pd.DataFrame(rows, columns=["user", "item", "rating"]), texts
