"""What separates the cells of a text, and which names its header has: seen in its first lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile

from eagle.data.files.records import Form, Troubles, rank, records, text_lines

SEPARATORS = (",", ";", "\t", "|", "::", "\x01", "^", " ")
_WORDS = {"\\t": "\t", "tab": "\t", "\\x01": "\x01", "space": " "}
_HEAD, _LINES = 400_000, 300
_HALF, _NEARLY_ALL = 0.5, 0.9
"""Shares of rows of one width from which a sign separates cells, and from which a table stands below a heading."""
_EXCEL = re.compile(r'"?sep=(.+?)"?\s*$', re.IGNORECASE)


@dataclass(frozen=True)
class FirstLines:
    """The first lines of a text, cut at one separator."""

    form: Form
    names: tuple[str, ...]
    """Cells of the first record, bare of blanks around them."""
    line: int
    """Where the first record stands."""
    rows: tuple[tuple[int, list[str]], ...]
    """(line, cells) of the records after the first."""

    @property
    def width(self) -> int:
        """Cells of most rows."""
        return Counter(len(cells) for _, cells in self.rows).most_common(1)[0][0] if self.rows else len(self.names)

    def even(self) -> float:
        """Return the share of rows as wide as most; 0 where there is one cell only."""
        alike = sum(len(cells) == self.width for _, cells in self.rows)
        return alike / max(len(self.rows), 1) if self.width > 1 else 0.0

    def below_heading(self) -> float:
        """Return :meth:`even` where nearly all rows are alike and of three cells or more: a heading stands above them.

        Commas of a column of texts cut no such rows.
        """
        alike = self.form.separator != " " and self.width > 2 and self.even() > _NEARLY_ALL
        return self.even() if alike else 0.0

    def ranks(self) -> list[int]:
        """Return the highest rank (:func:`~eagle.data.files.records.rank`) that each column of one-line rows has."""
        plain = [cells for _, cells in self.rows if len(cells) == len(self.names) and not any("\n" in c for c in cells)]
        return [max(map(rank, column)) for column in zip(*plain, strict=True)] or [3] * len(self.names)


def written(separator: str) -> str:
    """Return the separator as one would write it into params.yaml."""
    return {"\t": r'"\t"', "\x01": r'"\x01"'}.get(separator, f'"{separator}"')


def meant(separator: str) -> str:
    """Return the separator that ``data.files.separator`` means: a tab may be written as a word or with a backslash."""
    return _WORDS.get(separator.lower(), separator)


def head_of(content: bytes, wanted: Sequence[str], declared: str | None = None) -> FirstLines:
    """Return the head, cut at ``declared`` or else where most of ``wanted`` (column names) are in the first line.

    Where no separator gives any of the names, rows of even width decide. Blanks separate only where nothing else does:
    titles of as many words each are of even width too.
    """
    lines = list(islice(text_lines(_whole_lines(content)), _LINES))
    excel = _EXCEL.match(lines[0]) if lines else None
    skipped = 1 if excel else 0
    tried = [meant(declared)] if declared else [*([meant(excel[1])] if excel else []), *SEPARATORS]
    heads = [_below_comments(lines, Form(separator, skipped=skipped)) for separator in tried]
    if any(len(head.names) > 1 and head.even() > _HALF for head in heads if head.form.separator != " "):
        heads = [head for head in heads if head.form.separator != " " or found(head, wanted)]
    return max(
        heads,
        key=lambda head: (
            found(head, wanted),
            head.even() if len(head.names) > 1 else head.below_heading(),
            len(head.names) > 1,
            head.width,
        ),
    )


def found(head: FirstLines, wanted: Sequence[str]) -> int:
    """Return how many of the wanted names the first line has."""
    return len(set(wanted) & set(head.names))


def _whole_lines(content: bytes) -> bytes:
    head = content[:_HEAD]
    end = max(head.rfind(b"\n"), head.rfind(b"\r"))
    return head if len(content) <= _HEAD or end < 0 else head[: end + 1]


def _below_comments(lines: Sequence[str], form: Form) -> FirstLines:
    """Return the head without the lines at its top that begin with #.

    The last of them may be the header, as ``#user,item``: where it alone has as many cells as the rows, or where what
    follows is data.
    """
    head = _cut(lines, form)
    above = list(takewhile(lambda line: line.startswith("#"), lines[form.skipped :]))
    if not above or (len(above) == 1 and len(head.names) == head.width):
        return head
    below = _cut(lines, replace(form, skipped=form.skipped + len(above)))
    if below.width > 1 and any(rank(name) == 1 for name in below.names):  # data already
        return _cut(lines, replace(form, skipped=form.skipped + len(above) - 1))
    return below


def _cut(lines: Sequence[str], form: Form) -> FirstLines:
    rows = list(records(lines, form, Troubles()))
    if not rows:
        return FirstLines(form, (), form.skipped + 1, ())
    (line, first), rest = rows[0], rows[1:]
    return FirstLines(form, tuple(bare(cell) for cell in first), line, tuple(rest))


def bare(name: str) -> str:
    """Return a column's name without blanks, quotes and marks of byte order around it."""
    return name.strip().strip("\ufeff").strip().strip('"').strip()
