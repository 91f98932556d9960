"""What was read, in one look: the few lines with which ``fetch`` and ``eagle check`` end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from eagle.config import DataConfig
from eagle.core.artifacts import read_json
from eagle.data.catalogue import Catalogue
from eagle.data.columns.prose import languages
from eagle.data.columns.rows import number_of, share
from eagle.data.unusual import filled, unusual


@dataclass(frozen=True)
class Overview:
    """``lines``: (what, words) in the order of reading; ``unusual``: sentences, none where all is as usual."""

    lines: tuple[tuple[str, str], ...]
    unusual: tuple[str, ...] = ()

    @property
    def shown(self) -> list[tuple[str, str]]:
        """All lines, each thing that is unusual in one of its own."""
        return [*self.lines, *(("unusual", words) for words in self.unusual or ("nothing",))]

    def printed(self) -> list[str]:
        """Return the lines as a terminal shows them."""
        return [f"{what + ':':<12}{words}" for what, words in self.shown]

    def to_json(self) -> dict[str, Any]:
        return {"lines": [list(line) for line in self.lines], "unusual": list(self.unusual)}

    @classmethod
    def read(cls, path: Path) -> Overview | None:
        """Read what ``fetch`` kept beside the catalogue; None where there is no such file."""
        if not path.exists():
            return None
        found = read_json(path)
        return cls(tuple((what, words) for what, words in found["lines"]), tuple(found["unusual"]))


def overview(source: Catalogue, enough: Catalogue, kept: Catalogue, data: DataConfig) -> Overview:
    """Describe what was read from ``source``, of which ``enough`` is rated enough and ``kept`` goes on."""
    texts = kept.items["text"].dropna().astype(str)
    language = languages(texts.tolist())
    lines = (
        ("users", _left(len(source.users), len(enough.users), len(kept.users), "min_ratings_per_user", data)),
        ("items", _items(source, enough, kept, data)),
        ("ratings", _ratings(source, enough, kept, data)),
        ("density", _density(kept)),
        ("scale", _scale(kept)),
        ("texts", _texts(texts, len(kept.items))),
        ("categories", _categories(kept.items["genres"].tolist())),
        ("years", _years(kept.items["year"])),
        ("times", _times(kept.ratings["timestamp"])),
        ("language", _languages(language)),
    )
    return Overview(lines, (*source.remarks, *unusual(kept, texts, language)))


def _left(read: int, enough: int, kept: int, filtered: str, data: DataConfig) -> str:
    reasons = []
    if enough < read:
        least = getattr(data, filtered)
        reasons.append(f"{read - enough:,} with fewer than {number_of(least, 'rating')} left out (data.{filtered})")
    if kept < enough:
        reasons.append(f"{enough - kept:,} not drawn (data.max_ratings: {data.max_ratings:,})")
    return f"{kept:,} of {read:,} kept" + (f"; {'; '.join(reasons)}" if reasons else "")


def _rated(catalogue: Catalogue) -> int:
    return int(catalogue.ratings["item"].nunique())


def _items(source: Catalogue, enough: Catalogue, kept: Catalogue, data: DataConfig) -> str:
    rated = _left(_rated(source), _rated(enough), _rated(kept), "min_ratings_per_item", data).replace(
        "kept", "rated ones kept", 1
    )
    never = len(source.items) - _rated(source)
    if not never:
        return rated
    does = "kept as neighbours in novelty" if data.never_rated == "keep" else "left out (data.never_rated: drop)"
    return f"{rated}; {never:,} that nobody rated, {does}"


def _ratings(source: Catalogue, enough: Catalogue, kept: Catalogue, data: DataConfig) -> str:
    read, left, end = (len(each.ratings) for each in (source, enough, kept))
    reasons = []
    if left < read:
        reasons.append(f"{read - left:,} of users and items with too few left out")
    if end < left:
        reasons.append(f"{left - end:,} of users not drawn (data.max_ratings: {data.max_ratings:,})")
    return f"{end:,} of {read:,} kept" + (f"; {'; '.join(reasons)}" if reasons else "")


def _density(kept: Catalogue) -> str:
    users, items = kept.ratings["user"].value_counts(), kept.ratings["item"].value_counts()
    return (
        f"{100 * filled(kept):.2g}% of all pairs of user and item; half of the users gave {users.median():g} ratings "
        f"or more, half of the items have {items.median():g} or more"
    )


def _scale(kept: Catalogue) -> str:
    ratings, source = kept.ratings["rating"], kept.source
    counts = ratings.value_counts()
    return (
        f"{source.rating_min:g} to {source.rating_max:g}; ratings go from {ratings.min():g} to {ratings.max():g}, mean "
        f"{ratings.mean():.2f}, {len(counts):,} different, most often {counts.index[0]:g} "
        f"({share(int(counts.iloc[0]), len(ratings))})"
    )


def _texts(texts: pd.Series, items: int) -> str:
    if texts.empty:
        return f"none of {number_of(items, 'item')} has one"
    words = texts.map(lambda text: len(text.split()))
    return (
        f"{len(texts):,} of {number_of(items, 'item')} ({share(len(texts), items)}), half of them of "
        f"{words.median():.0f} words or more, the longest of {number_of(int(texts.str.len().max()), 'character')}"
    )


def _categories(genres: list[list[str]]) -> str:
    counts = Counter(genre for row in genres for genre in row)
    without = sum(not row for row in genres)
    if not counts:
        return "none"
    frequent = ", ".join(f"{genre} ({count:,})" for genre, count in counts.most_common(5))
    more = ", ..." if len(counts) > 5 else ""
    return f"{len(counts):,}: {frequent}{more}" + (f"; {number_of(without, 'item')} without any" if without else "")


def _years(years: pd.Series) -> str:
    known = years.dropna()
    if known.empty:
        return "none"
    without = len(years) - len(known)
    return f"{known.min()} to {known.max()}" + (f"; {number_of(without, 'item')} without one" if without else "")


def _times(times: pd.Series) -> str:
    known = times.dropna()
    if known.empty:
        return "none"
    first, last = (pd.to_datetime(int(each), unit="s", errors="coerce") for each in (known.min(), known.max()))
    without = len(times) - len(known)
    return f"{_day(first)} to {_day(last)}" + (f"; {number_of(without, 'rating')} without one" if without else "")


def _languages(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {100 * part:.0f}%" for name, part in shares.items() if part >= 0.01) or "none told"


def _day(time: Any) -> str:
    return "a time out of range" if pd.isna(time) else f"{time:%Y-%m-%d}"
