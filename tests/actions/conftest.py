"""A small made-up catalogue, and an environment whose answers are known by construction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd
import pytest

from eagle.domains.text import Description
from eagle.environment.rewrite import Rewrite

GENRES = ("drama", "comedy", "action", "sci-fi", "film-noir", "children's")


@dataclass
class Parrot:
    """Answers with the action and seed inside the plot.

    Actions that name a robot fail, those that name a mirror copy.
    """

    calls: list[int] = field(default_factory=list)

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
        self.calls.append(len(texts))
        return [self._one(t, a, s) for t, a, s in zip(texts, actions, seeds, strict=True)]

    @staticmethod
    def _one(text: str, action: str, seed: int) -> Rewrite:
        if "robot" in action:
            return Rewrite(None, "cut off", tokens=90)
        if "mirror" in action:
            return Rewrite(text, copied=True, tokens=5)
        return Rewrite(Description(("comedy",), f"After {seed % 1000}: {action}").render(), tokens=5)


@pytest.fixture
def descriptions() -> pd.DataFrame:
    rows = []
    for number in range(60):
        genres = [GENRES[number % 6], GENRES[(number // 6) % 6]][: 1 + number % 2]
        plot = f"Someone number {number} walks home and finds a letter." if number % 3 else ""
        text = Description(tuple(genres), plot).render()
        rows.append((f"i{number}", text, genres, plot, 1950 + number, "source" if plot else "metadata"))
    return pd.DataFrame(rows, columns=["item", "text", "genres", "plot", "year", "origin"])


@pytest.fixture
def splits(descriptions: pd.DataFrame) -> pd.DataFrame:
    names = ["train", "train", "validation", "test"]
    return pd.DataFrame({"item": descriptions["item"], "split": [names[i % 4] for i in range(len(descriptions))]})


@pytest.fixture
def profiles() -> pd.DataFrame:
    users = [f"u{i}" for i in range(6)]
    shorts = [f"User likes {GENRES[i]}. Dislikes {GENRES[-1 - i]}." for i in range(6)]
    return pd.DataFrame(
        {"user": users, "split": ["train", "train", "train", "train", "validation", "test"], "short": shorts}
    )
