"""Records out of separated text, with the line where each begins; whatever does not fit is named, never mended."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

Quoting = Literal["doubled", "backslash", "none"]
_STAND_IN = "\x1f"
"""Stands for a separator of several letters, because csv takes one letter."""
_MOST = 200
"""Troubles after which reading stops: a file with more needs another look, not a longer list."""
_LONGEST = 1 << 22
"""Letters of a cell from which a quote that is never closed is likelier than a text: no novel is as long."""
_BACKSLASH = re.compile(r"\\([^\n\r])")


@dataclass(frozen=True)
class Form:
    """How a text is cut into records."""

    separator: str
    quoting: Quoting = "doubled"
    """Quotes inside a quoted cell are doubled, or marked by a backslash; none takes every quote as a letter."""
    skipped: int = 0
    """Lines before the header, as Excel's ``sep=;``."""


@dataclass(frozen=True)
class Trouble:
    """A line of the user's file that does not fit, and why."""

    line: int
    words: str


@dataclass
class Troubles:
    """What was met while reading, filled as the records come."""

    lines: list[Trouble] = field(default_factory=list)

    def add(self, line: int, words: str) -> None:
        """Note a line."""
        self.lines.append(Trouble(line, words))

    @property
    def too_many(self) -> bool:
        """Whether reading on would only lengthen the list."""
        return len(self.lines) >= _MOST


def text_lines(content: bytes) -> Iterator[str]:
    """Give the lines of UTF-8 with their ends: LF, CR LF or CR."""
    return iter(io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline=""))


def records(lines: Iterable[str], form: Form, troubles: Troubles) -> Iterator[tuple[int, list[str]]]:
    """Give (line, cells) of every record that is not blank; ``lines`` begin with the file's first.

    A quote that opens a cell and is not closed as it should be is noted with its own line, and reading goes on with
    the line after it: the lines up to the next quote are records again, not one long cell.
    """
    waiting: deque[str] = deque()
    source = iter(lines)
    for _ in range(form.skipped):
        next(source, None)
    begins = form.skipped + 1
    while not troubles.too_many:
        taken: list[str] = []
        reader = _reader(_fed(waiting, source, taken, form), form)
        try:
            for cells in reader:
                if cells and (len(cells) > 1 or cells[0].strip()):
                    yield begins, _restored(cells, form)
                begins += len(taken)
                taken.clear()
            return
        except csv.Error as error:
            troubles.add(begins, _words(str(error)))
            waiting.extendleft(reversed(taken[1:]))
            begins += 1


def _fed(waiting: deque[str], source: Iterator[str], taken: list[str], form: Form) -> Iterator[str]:
    """Give the lines put back, then the rest, as csv understands them; ``taken`` keeps them as they were."""
    several = len(form.separator) > 1
    while True:
        line = waiting.popleft() if waiting else next(source, None)
        if line is None:
            return
        taken.append(line)
        if several:
            line = line.replace(form.separator, _STAND_IN)
        if form.quoting == "backslash" and "\\" in line:
            line = _BACKSLASH.sub(lambda found: _escape(found, form.separator), line)
        yield line


def _escape(found: re.Match[str], separator: str) -> str:
    """Keep the backslash before a quote, a separator or a backslash as csv's escape; elsewhere it is a letter."""
    return found[0] if found[1] in ('"', "\\", separator) else f"\\\\{found[1]}"


def _reader(lines: Iterator[str], form: Form) -> Iterator[list[str]]:
    separator = form.separator if len(form.separator) == 1 else _STAND_IN
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
    return csv.reader(
        lines,
        delimiter=separator,
        skipinitialspace=separator != " ",
        quoting=csv.QUOTE_NONE if form.quoting == "none" else csv.QUOTE_MINIMAL,
        escapechar="\\" if form.quoting == "backslash" else None,
        strict=True,
    )


def _restored(cells: list[str], form: Form) -> list[str]:
    if len(form.separator) == 1:
        return cells
    return [cell.replace(_STAND_IN, form.separator) for cell in cells]


def _words(error: str) -> str:
    if "field larger" in error:
        return f"a cell of more than {_LONGEST:,} letters begins here: a quote that is never closed?"
    if "expected after" in error:
        return "a quote opens a cell here, and a letter stands right after the quote that closes it"
    if "unexpected end" in error:
        return "a quote opens a cell here and is not closed before the file ends"
    return error


def swallowed(cells: Sequence[str], separator: str, ranks: Sequence[int]) -> int:
    """Return how many lines a stray quote has joined into this record; 0 where its line breaks are meant.

    The sign is that every line of the record, its quote taken for a letter, has as many cells as the table, of the
    kinds that stand in their columns (``ranks``: the highest :func:`rank` of each). Lines of a text hardly ever do.
    """
    broken = [number for number, cell in enumerate(cells) if "\n" in cell]
    if len(broken) != 1 or len(cells) < 2:
        return 0
    at = broken[0]
    rows = [piece.rstrip("\r").split(separator) for piece in cells[at].split("\n")]
    rows[0] = [*cells[:at], *rows[0]]
    rows[-1] = [*rows[-1], *cells[at + 1 :]]
    if len(cells) == 2 and len(rows) == 2:  # a comma and a number may begin a line of a text by chance
        return 0
    return len(rows) if all(len(row) == len(cells) and _fits(row, ranks) for row in rows) else 0


def _fits(row: Sequence[str], ranks: Sequence[int]) -> bool:
    return all(rank(cell) <= highest for cell, highest in zip(row, ranks, strict=False))


def rank(cell: str) -> int:
    """Return 0 for an empty cell, 1 for a number, 2 for a word (no blank in it), 3 for any other text."""
    cell = cell.strip()
    if not cell:
        return 0
    try:
        float(cell)
    except ValueError:
        return 3 if " " in cell or "\n" in cell else 2
    return 1
