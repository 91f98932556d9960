"""The users' profiles as other rooms read them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from eagle.core.artifacts import read_table


@dataclass(frozen=True)
class Profiles:
    """Every user's profile.

    ``table``: user (str), split (train, validation or test), liked and disliked (arrays of genres, strongest first),
    short and full (str), origin (ratings or llm); the index is 0, 1, 2, ...
    """

    table: pd.DataFrame

    @classmethod
    def load(cls, path: Path) -> Profiles:
        """Read ``data/profiles.parquet``."""
        return cls(read_table(path, "profiles"))

    @property
    def users(self) -> list[str]:
        """All users, in the order of the table."""
        return [str(user) for user in self.table["user"]]

    @property
    def short(self) -> dict[str, str]:
        """User -> the short profile, which stands in a policy's prompt."""
        return dict(zip(self.users, self.table["short"], strict=True))

    @property
    def liked(self) -> dict[str, tuple[str, ...]]:
        """User -> the genres that they like, strongest first."""
        return dict(zip(self.users, map(tuple, self.table["liked"]), strict=True))

    @property
    def disliked(self) -> dict[str, tuple[str, ...]]:
        """User -> the genres that they dislike, strongest first."""
        return dict(zip(self.users, map(tuple, self.table["disliked"]), strict=True))

    def users_in(self, split: str) -> list[str]:
        """Return the users of a split, sorted."""
        return sorted(self.table.loc[self.table["split"] == split, "user"].astype(str))
