"""The text of a state: one line that names labels and then says more, ``Genres: a, b. Plot: ...``.

1. A domain names the two fields; a line carries their names, so that whoever only reads a line needs no domain.
2. Films call them genres and plot, and so do the columns of the tables and the attributes here, whatever the domain.
3. A catalogue without categories has lines of one field, ``The plot: ...``. Its name begins with "The", which no name
   of labels does: so these lines too are read without a domain, and a plot is never taken for labels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

#: What the name of a line's only field begins with.
ONLY = "The "
#: What a field may be called: letters, blanks, hyphens and apostrophes, at most 30 characters.
NAME = r"[^\W\d_](?:[^\W\d_]|[ '’-]){0,29}"


@dataclass(frozen=True)
class Fields:
    """How a domain calls the two fields of a text."""

    labels: str = "Genres"
    """"" where the catalogue has no labels."""
    body: str = "Plot"

    @property
    def names(self) -> tuple[str, ...]:
        """The names that a line carries, in order."""
        return (self.labels, self.body) if self.labels else (self.body,)

    def without_labels(self) -> Fields:
        """Return the one field that is left for a catalogue without labels."""
        return Fields("", f"{ONLY}{self.body.lower()}")


#: The fields where none are named: those of films.
GENRES_AND_PLOT = Fields()


@dataclass(frozen=True)
class Description:
    """Labels (``genres``, lower case, in order of weight) and the text (``plot``, may be empty) of one item."""

    genres: tuple[str, ...]
    plot: str = ""
    fields: Fields = GENRES_AND_PLOT

    def render(self) -> str:
        """Return ``Genres: crime, comedy. Plot: ...`` (without the second part where there is none).

        Of a catalogue without labels: ``The plot: ...``.
        """
        if not self.fields.labels:
            return f"{self.fields.body}: {self.plot}".rstrip()
        head = f"{self.fields.labels}: {', '.join(self.genres)}."
        return f"{head} {self.fields.body}: {self.plot}" if self.plot else head

    @classmethod
    def parse(cls, text: str, fields: Fields = GENRES_AND_PLOT) -> Description:
        """Read a rendered line of a domain with these fields; ValueError where it is not of that form."""
        if not fields.labels:
            read = _read_only(text, re.escape(fields.body))
        else:
            read = _read(text, re.escape(fields.labels), re.escape(fields.body), fields)
        if read is None:
            first = f"{fields.labels}: a, b. " if fields.labels else ""
            raise ValueError(f"not of the form '{first}{fields.body}: ...'")
        return read

    @classmethod
    def read(cls, text: str, names: Fields = GENRES_AND_PLOT) -> Description:
        """Read a rendered line of any domain; ``names`` are those of a field that the line lacks.

        ValueError where the line is of no such form.
        """
        read = _read_only(text, f"{ONLY}{NAME}") or _read(text, NAME, NAME, names)
        if read is None:
            raise ValueError("not of the form 'Labels: a, b. Text: ...'")
        return read

    @classmethod
    def read_any(cls, text: str) -> Description:
        """Read a rendered line of any domain; a text of another form is all plot."""
        try:
            return cls.read(text)
        except ValueError:
            return cls((), text)


@cache
def _forms(labels: str, body: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    head = rf"^\s*(?P<labels>{labels}):\s*(?P<named>[^.\n]*?)\s*"
    return re.compile(rf"{head}\.\s*(?P<body>{body}):\s*(?P<said>[^\n]+?)\s*$"), re.compile(rf"{head}\.?\s*$")


def _read_only(text: str, body: str) -> Description | None:
    match = re.match(rf"^\s*(?P<body>{body}):[^\S\n]*(?P<said>[^\n]*?)\s*$", text)
    return None if match is None else Description((), match["said"], Fields("", match["body"]))


def _read(text: str, labels: str, body: str, names: Fields) -> Description | None:
    whole, head = _forms(labels, body)
    match = whole.match(text) or head.match(text)
    if match is None:
        return None
    found = match.groupdict()
    genres = tuple(dict.fromkeys(name.strip().lower() for name in found["named"].split(",") if name.strip()))
    return Description(genres, found.get("said") or "", Fields(found["labels"], found.get("body") or names.body))
