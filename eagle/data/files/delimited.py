"""Separated text as a table: every record as it is meant, or one error that names every line that does not fit."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise

import pandas as pd

from eagle.core.errors import EagleError, Problem, user_error
from eagle.data.columns.rows import number_of
from eagle.data.files.encodings import as_utf8
from eagle.data.files.even import even_table
from eagle.data.files.misfits import places
from eagle.data.files.records import Form, Quoting, Trouble, Troubles, records, swallowed, text_lines
from eagle.data.files.separators import FirstLines, bare, head_of, written
from eagle.data.files.shapes import drawn, second_header
from eagle.data.files.unpacking import CUT

_NAMED = 10
_CHUNK = 250_000
_SPREADSHEETS = (2**16, 2**20)
"""Rows, with the header, that an old and a new workbook can have."""
_ANOTHER = "names of columns stand here in another order: below is another table"
_KEPT_AS_TEXT = re.compile(r'="[^"]*"')
_LETTER, _DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")


@dataclass(frozen=True)
class Delimited:
    """What was read: wanted columns as text (missing where a cell is empty), indexed by the line of each record."""

    table: pd.DataFrame
    notes: tuple[str, ...] = ()
    """What is worth a word to the user, each a sentence."""


@dataclass(frozen=True)
class _Plan:
    name: str
    content: bytes
    head: FirstLines
    at: Mapping[str, int]
    has_header: bool


def read_delimited(
    name: str,
    content: bytes,
    wanted: Mapping[str, str | None],
    separator: str | None = None,
    encoding: str | None = None,
) -> Delimited:
    """Read separated text; ``wanted`` maps parameters to the names of columns.

    Encoding, separator and quoting are seen in the text where they are not given. Raises one
    :class:`~eagle.core.errors.EagleError` with all that does not fit, by the file's own line numbers.
    """
    content, note = as_utf8(name, content, encoding)
    _look(name, content)
    head = head_of(content, [column for column in wanted.values() if column], separator)
    if printed := drawn(name, head):
        raise EagleError(printed)
    try:
        at, has_header = places(name, head, content, wanted, separator)
    except EagleError:
        _look_for_open_quote(_Plan(name, content, head, {}, True))  # it may be why a name is not found
        raise
    plan = _Plan(name, content, head, at, has_header)
    read = even_table(content, head, at) if has_header else None
    done = Delimited(read) if read is not None else _carefully(plan)
    _look_at_end(plan)
    if has_header and (kinds := second_header(name, head)):
        raise EagleError(kinds)
    usual = separator is not None or head.form.separator in (",", "\t")
    seen = "" if usual else f"{name}: separator {written(head.form.separator)} found"
    above = sum(line.startswith("#") for line in islice(text_lines(content), head.form.skipped))
    comments = f"{name}: {number_of(above, 'line')} at the top that begin with # passed over" if above else ""
    lines = len(done.table) + has_header
    full = f"{name} has {lines:,} rows, the most that a spreadsheet holds: did one cut the rest?"
    notes = (note, seen, comments, full if lines in _SPREADSHEETS else "")
    return replace(done, notes=(*filter(None, notes), *done.notes))


def _look(name: str, content: bytes) -> None:
    if not content.strip():
        raise user_error(f"{name} is empty and cannot be read as a table", expected="a header line, and rows below it")
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise user_error(
            f"{name} cannot be read as a table: it holds zero bytes",
            found=f"{content.count(0)} of them, the first in line {line}",
            mend="the file is damaged, or no text: fetch or write it again",
        )


def _look_for_open_quote(plan: _Plan) -> None:
    troubles = Troubles()
    if b"\\" not in plan.content and plan.head.form.separator in (",", ";"):
        for _ in records(text_lines(plan.content), plan.head.form, troubles):
            pass
    if troubles.lines:
        raise EagleError(_problem(plan, troubles.lines))


def _carefully(plan: _Plan) -> Delimited:
    """Read with quotes doubled, then marked by backslashes, then as letters; the first way without trouble is meant."""
    tries: list[Quoting] = ["doubled"]
    tries += ["backslash"] if b"\\" in plan.content else []
    tries += ["none"] if b'"' in plan.content and plan.head.form.separator not in (",", ";") else []
    first: list[Trouble] | None = None
    for quoting in tries:
        troubles = Troubles()
        done = _read(plan, replace(plan.head.form, quoting=quoting), troubles)
        if not troubles.lines:
            said = [f"{plan.name}: quotes are taken as letters, no cell is quoted"] if quoting == "none" else []
            return replace(done, notes=(*done.notes, *said))
        first = first or troubles.lines
    raise EagleError(_problem(plan, first or []))


@dataclass
class _Rows:
    """Cells of wanted columns, packed now and then, so that a large file is never held as single strings."""

    names: Collection[str]
    lines: list[int] = field(default_factory=list)
    cells: list[list[str | None]] = field(default_factory=list)
    packed: list[pd.DataFrame] = field(default_factory=list)

    def add(self, line: int, cells: list[str | None]) -> None:
        self.lines.append(line)
        self.cells.append(cells)
        if len(self.lines) >= _CHUNK:
            self.pack()

    def pack(self) -> None:
        index = pd.Index(self.lines, dtype="int64", name="line")
        self.packed.append(pd.DataFrame(self.cells, columns=list(self.names), index=index, dtype="string"))
        self.lines, self.cells = [], []

    def table(self) -> pd.DataFrame:
        if self.lines or not self.packed:
            self.pack()
        return pd.concat(self.packed)


def _read(plan: _Plan, form: Form, troubles: Troubles) -> Delimited:
    head, width = plan.head, len(plan.head.names)
    named = max((place + 1 for place, name in enumerate(head.names) if name or not plan.has_header), default=width)
    rows, ranks, names = _Rows(list(plan.at)), head.ranks(), frozenset(head.names)
    repeated: list[int] = []
    surplus: list[int] = []
    blank: list[int] = []
    for line, cells in _body(plan, form, troubles):
        if plan.has_header and bare(cells[0]) == head.names[0] and tuple(map(bare, cells)) == head.names:
            repeated.append(line)
            continue
        if plan.has_header and sum(bare(cell) in names for cell in cells if cell) > max(1, len(cells) // 2):
            troubles.add(line, _ANOTHER)
            continue
        if not any(cells):
            blank.append(line)
            continue
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            surplus.append(line)
        elif not named <= len(cells) <= width:
            troubles.add(line, f"{_cells(len(cells))}, the header has {width}")
            continue
        joined = swallowed(cells, form.separator, ranks) if any("\n" in cell for cell in cells) else 0
        if joined:
            troubles.add(line, f"a quote opens a cell here and swallows {joined - 1} whole lines after it")
            continue
        rows.add(line, [_value(cells[at]) if at < len(cells) else None for at in plan.at.values()])
    table = rows.table()
    _judge_surplus(plan, surplus, table, troubles)
    notes: list[str] = []
    if repeated:
        notes.append(f"{plan.name}: the header stands again in line {_lines(repeated)} and is left out there")
    if blank:
        notes.append(f"{plan.name}: nothing stands between the separators of line {_lines(blank)}, left out")
    if surplus:
        notes.append(f"{plan.name}: every row ends in a separator with nothing after it, which is passed over")
    return Delimited(table, tuple(notes))


def _body(plan: _Plan, form: Form, troubles: Troubles) -> Iterator[tuple[int, list[str]]]:
    rows = records(text_lines(plan.content), form, troubles)
    if plan.has_header:
        next(rows, None)
    return rows


def _value(cell: str) -> str | None:
    """Return a cell as it is meant: spreadsheets are made to keep text by writing ="978"."""
    if not cell or cell == r"\N":
        return None
    return cell[2:-1] or None if _KEPT_AS_TEXT.fullmatch(cell) else cell


def _judge_surplus(plan: _Plan, surplus: list[int], table: pd.DataFrame, troubles: Troubles) -> None:
    """An empty cell too many in every row is a separator at its end; in some rows it may be a shift, and is trouble."""
    width = len(plan.head.names)
    if surplus and len(surplus) < len(table):
        for line in surplus:
            troubles.add(line, f"{_cells(width + 1)}, the header has {width}, and the last is empty")
    elif surplus and _numbered(plan):
        troubles.add(
            surplus[0],
            "every row has a cell more than the header; is the first a number of the row, or the last one nothing?",
        )


def _numbered(plan: _Plan) -> bool:
    """Tell whether the first cells count the rows, and the second ones are whole numbers, as ids would be."""
    first = [cells[0] for _, cells in plan.head.rows]
    second = [cells[1] for _, cells in plan.head.rows if len(cells) > 1]
    whole = all(cell.isdecimal() for cell in (*first, *second))
    return len(first) > 2 and whole and all(int(b) - int(a) == 1 for a, b in pairwise(first))


def _look_at_end(plan: _Plan) -> None:
    """A file that is cut ends within a line; where its last cell is shorter than all others, that is said."""
    content = plan.content
    if content.endswith((b"\n", b"\r")) or len(plan.head.rows) < 20:
        return
    last = content[max(content.rfind(b"\n"), content.rfind(b"\r")) + 1 :].decode("utf-8")
    cells, width = last.split(plan.head.form.separator), len(plan.head.names)
    others = [cells[-1] for _, cells in plan.head.rows if len(cells) == width and cells[-1] != last]
    shapes = {_shape(cell) for cell in others[:-1] or others}
    if len(cells) == width and len(shapes) <= 5 and len(cells[-1]) < min(map(len, shapes), default=0):
        raise user_error(
            f"{plan.name} ends in the middle of a line: it seems cut off",
            found=f"last line {last!r}, without a line break at its end",
            expected=f"a last cell like {others[0]!r}",
            mend=f"{CUT}; where it is whole, end its last line with a line break",
        )


def _shape(cell: str) -> str:
    return _LETTER.sub("a", _DIGIT.sub("9", cell))


def _problem(plan: _Plan, troubles: list[Trouble]) -> Problem:
    width, rows = len(plan.head.names), plan.head.rows
    mend = (
        "put a cell that holds the separator, a quote or a line break in quotes, and double the quotes in it; a "
        "row with too few cells may be half of one that a line break has cut"
    )
    if rows and all(len(cells) == width + 1 for _, cells in rows):
        mend = (
            "where the first column counts the rows, give it a name in the header; where a number has a decimal comma "
            "or a title a comma, put the cell in quotes"
        )
    if any(trouble.words == _ANOTHER for trouble in troubles):
        mend = "write that table into a file of its own, with its columns in one order all through"
    said = "".join(f"\n    line {trouble.line}: {trouble.words}" for trouble in troubles[:_NAMED])
    more = f"\n    and {len(troubles) - _NAMED} more, at least" if len(troubles) > _NAMED else ""
    end = "" if plan.content.endswith((b"\n", b"\r")) else "; the file ends without a line break: it may be cut off"
    return Problem(
        f"{plan.name} cannot be read as a table: lines do not fit its header",
        found=f"separator {written(plan.head.form.separator)}{end}{said}{more}",
        expected=f"{_cells(width)} in every row: {', '.join(plan.head.names[:12])}",
        mend=mend,
    )


def _cells(number: int) -> str:
    return "1 cell" if number == 1 else f"{number} cells"


def _lines(lines: list[int]) -> str:
    return ", ".join(map(str, lines[:_NAMED])) + (f" and {len(lines) - _NAMED} more" if len(lines) > _NAMED else "")
