"""Why a header does not give the columns that ``data.files.columns`` names, said so that it can be mended."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from eagle.core.errors import EagleError, Problem, did_you_mean
from eagle.data.columns.rows import cut
from eagle.data.files.separators import FirstLines, found, head_of, written
from eagle.data.files.shapes import is_data, is_wide, listed_names, matrix, numeric, shapeless

_HINTS = {
    "rating": "; clicks, plays or purchases alone are no ratings, and EAGLE cannot learn from them",
    "user": "; the ratings of one person alone tell nothing of how tastes differ, and EAGLE cannot learn from them",
}
_NUMBERED = re.compile(r"#[1-9]\d*$")
_PREAMBLE = 30


def places(
    name: str, head: FirstLines, content: bytes, wanted: Mapping[str, str | None], declared: str | None
) -> tuple[dict[str, int], bool]:
    """Return where each wanted column (parameter -> name) stands in a row, and whether the first line is a header.

    A column may be named by its number, ``#1`` for the first; where all are, the first line is data. Raises an
    :class:`~eagle.core.errors.EagleError` with all that is missing.
    """
    names = {column for column in wanted.values() if column is not None}
    twice = several_columns(name, head.names, sorted(names))
    if twice:
        raise EagleError(twice)
    numbers = {column: int(column[1:]) - 1 for column in names if _NUMBERED.match(column) and column not in head.names}
    at = {column: head.names.index(column) for column in names if column in head.names} | numbers
    if len(at) == len(names) and all(place < head.width for place in at.values()):
        return at, len(numbers) < len(names)
    raise EagleError(_misfits(name, head, content, wanted, declared) or [_narrow(name, head)])


def _misfits(
    name: str, head: FirstLines, content: bytes, wanted: Mapping[str, str | None], declared: str | None
) -> list[Problem]:
    names = [column for column in wanted.values() if column is not None]
    if declared:
        other = head_of(content, names)
        if other.form.separator != head.form.separator and found(other, names) > found(head, names):
            return [
                Problem(
                    f"{name} is not separated by {written(head.form.separator)}",
                    found=f"separator {written(other.form.separator)}",
                    mend=f"set data.files.separator: {written(other.form.separator)}, or remove that line",
                )
            ]
    above = _below(head, names)
    if above:
        return [
            Problem(
                f"{name}: the names of the columns stand in line {above}, not in the first",
                found=f"line {head.line}: {cut(head.form.separator.join(head.names))!r}",
                mend=f"remove the lines above line {above}",
            )
        ]
    if wrong := shapeless(name, head, names):
        return [wrong]
    if any(parameter.endswith(".rating") for parameter in wanted) and is_wide(numeric(head)):
        return [matrix(name, head.names)]
    if is_data(head, names):
        return [_no_header(name, head, wanted)]
    return missing_columns(name, head.names, wanted, head.form.separator)


def _narrow(name: str, head: FirstLines) -> Problem:
    return Problem(
        f"{name}: the rows have fewer cells than the first line",
        found=f"{head.width} cells in most rows; line {head.line}: {cut(head.form.separator.join(head.names))!r}",
        expected="a header line with a name for each cell of the rows",
        mend="correct the first line, or set data.files.separator where another sign separates the cells",
    )


def several_columns(name: object, present: Sequence[str], asked: Sequence[str]) -> list[Problem]:
    """Return one problem for each of the asked columns that is there more than once."""
    return [
        Problem(f"{name} has several columns named {column!r}", found=listed_names(present), mend="rename one")
        for column in asked
        if present.count(column) > 1
    ]


def missing_columns(
    name: object, present: Sequence[str], wanted: Mapping[str, str | None], separator: str = ","
) -> list[Problem]:
    """Return one problem for each wanted column (parameter -> name) that is not present."""
    said = "" if separator == "," else f" (separated by {written(separator)})"
    return [
        Problem(
            f"{name} has no column {column!r}",
            found=f"columns {listed_names(present)}{said}",
            mend=f"set {parameter}"
            + (f"; {hint}" if (hint := did_you_mean(str(column), present)) else "")
            + _HINTS.get(parameter.rpartition(".")[2], ""),
        )
        for parameter, column in wanted.items()
        if column is not None and column not in present and not _is_number(column, len(present))
    ]


def _is_number(column: str, width: int) -> bool:
    """Tell whether a name is the number of a column that there is."""
    return bool(_NUMBERED.match(column)) and int(column[1:]) <= width


def _below(head: FirstLines, names: Sequence[str]) -> int | None:
    if found(head, names):
        return None
    rows = head.rows[:_PREAMBLE]
    return next((line for line, cells in rows if set(names) <= {cell.strip() for cell in cells}), None)


def _no_header(name: str, head: FirstLines, wanted: Mapping[str, str | None]) -> Problem:
    columns = [column for column in wanted.values() if column is not None and not _NUMBERED.match(column)]
    parameter = next(iter(wanted))
    return Problem(
        f"{name} has no column {', '.join(map(repr, columns))}: its first line looks like data, not like a header",
        found=f"line {head.line}: {cut(head.form.separator.join(head.names))}",
        expected="a header line with the names of the columns",
        mend=f"write a header line of {head.width} names, separated by {written(head.form.separator)}, above it; or "
        f'name the columns by number, in quotes: {parameter}: "#1"',
    )
