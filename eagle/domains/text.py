"""The text of a state: one line that names labels and then says more, ``Genres: a, b. Plot: ...``.

1. A domain names the two fields; a line carries their names, so that whoever only reads a line needs no domain.
2. Films call them genres and plot, and so do the columns of the tables and the attributes here, whatever the domain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

#: What a field may be called: letters, blanks, hyphens and apostrophes, at most 30 characters.
NAME = r"[^\W\d_](?:[^\W\d_]|[ '’-]){0,29}"


@dataclass(frozen=True)
class Fields:
    """How a domain calls the two fields of a text."""

    labels: str = "Genres"
    body: str = "Plot"


#: The fields where none are named: those of films.
GENRES_AND_PLOT = Fields()


@dataclass(frozen=True)
class Description:
    """Labels (``genres``, lower case, in order of weight) and the text (``plot``, may be empty) of one item."""

    genres: tuple[str, ...]
    plot: str = ""
    fields: Fields = GENRES_AND_PLOT

    def render(self) -> str:
        """Return ``Genres: crime, comedy. Plot: ...`` (without the second part where there is none)."""
        head = f"{self.fields.labels}: {', '.join(self.genres)}."
        return f"{head} {self.fields.body}: {self.plot}" if self.plot else head

    @classmethod
    def parse(cls, text: str, fields: Fields = GENRES_AND_PLOT) -> Description:
        """Read a rendered line of a domain with these fields; ValueError where it is not of that form."""
        read = _read(text, re.escape(fields.labels), re.escape(fields.body), fields)
        if read is None:
            raise ValueError(f"not of the form '{fields.labels}: a, b. {fields.body}: ...'")
        return read

    @classmethod
    def read(cls, text: str, names: Fields = GENRES_AND_PLOT) -> Description:
        """Read a rendered line of any domain; ``names`` are those of a field that the line lacks.

        ValueError where the line is of no such form.
        """
        read = _read(text, NAME, NAME, names)
        if read is None:
            raise ValueError("not of the form 'Labels: a, b. Text: ...'")
        return read


@cache
def _forms(labels: str, body: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    head = rf"^\s*(?P<labels>{labels}):\s*(?P<named>[^.\n]*?)\s*"
    return re.compile(rf"{head}\.\s*(?P<body>{body}):\s*(?P<said>[^\n]+?)\s*$"), re.compile(rf"{head}\.?\s*$")


def _read(text: str, labels: str, body: str, names: Fields) -> Description | None:
    whole, head = _forms(labels, body)
    match = whole.match(text) or head.match(text)
    if match is None:
        return None
    found = match.groupdict()
    genres = tuple(dict.fromkeys(name.strip().lower() for name in found["named"].split(",") if name.strip()))
    return Description(genres, found.get("said") or "", Fields(found["labels"], found.get("body") or names.body))
