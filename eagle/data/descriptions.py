"""The descriptions: what every item is about, in one line of genres and plot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from eagle.core.artifacts import read_table


def plain_years(column: Iterable[Any]) -> list[int | None]:
    """Return the years of a table's column as numbers, None where one is missing."""
    return [None if pd.isna(year) else int(year) for year in column]


@dataclass(frozen=True)
class Descriptions:
    """Every item's description.

    ``table``: item (str), text (str, the line), genres (array of str), plot (str, "" where there is none), year (Int64,
    may be missing), origin (source, llm or metadata); the index is 0, 1, 2, ...
    """

    table: pd.DataFrame

    @classmethod
    def load(cls, path: Path) -> Descriptions:
        """Read ``data/descriptions.parquet``."""
        return cls(read_table(path, "descriptions"))

    @property
    def items(self) -> list[str]:
        """All items, in the order of the table."""
        return [str(item) for item in self.table["item"]]

    @cached_property
    def texts(self) -> dict[str, str]:
        """Item -> its line."""
        return dict(zip(self.items, map(str, self.table["text"]), strict=True))

    @cached_property
    def plots(self) -> dict[str, str]:
        """Item -> its plot, "" where it has none."""
        return dict(zip(self.items, map(str, self.table["plot"]), strict=True))

    @cached_property
    def years(self) -> dict[str, int | None]:
        """Item -> its year, None where it is unknown."""
        return dict(zip(self.items, plain_years(self.table["year"]), strict=True))

    @property
    def genres(self) -> set[str]:
        """All genres that some description names."""
        return {genre for row in self.table["genres"] for genre in row}
