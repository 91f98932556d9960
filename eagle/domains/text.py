"""The text of a state: one line that names genres and tells a plot."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"^\s*Genres:\s*(?P<genres>[^.\n]*?)\s*\.\s*Plot:\s*(?P<plot>[^\n]+?)\s*$")
_GENRES_ONLY = re.compile(r"^\s*Genres:\s*(?P<genres>[^.\n]*?)\s*\.?\s*$")


@dataclass(frozen=True)
class Description:
    """Genres (lower case, in order of weight) and a plot of one item; the plot may be empty."""

    genres: tuple[str, ...]
    plot: str = ""

    def render(self) -> str:
        """Return ``Genres: crime, comedy. Plot: ...`` (without the plot part where there is none)."""
        head = f"Genres: {', '.join(self.genres)}."
        return f"{head} Plot: {self.plot}" if self.plot else head

    @classmethod
    def parse(cls, text: str) -> Description:
        """Read a rendered line back; ValueError where it is not of that form."""
        match = _LINE.match(text) or _GENRES_ONLY.match(text)
        if match is None:
            raise ValueError("not of the form 'Genres: a, b. Plot: ...'")
        genres = tuple(dict.fromkeys(g.strip().lower() for g in match["genres"].split(",") if g.strip()))
        return cls(genres, match.groupdict().get("plot") or "")
