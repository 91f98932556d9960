"""What the first lines of a file show that are those of no table, or of one that is turned or drawn."""

from __future__ import annotations

import re
from collections.abc import Sequence

from eagle.core.errors import Problem
from eagle.data.columns.rows import cut
from eagle.data.files.records import rank
from eagle.data.files.separators import SEPARATORS, FirstLines, found, written

_SHOWN = 12
_RULE = re.compile(r"[-+|:=\s]*-{3}[-+|:=\s]*")
"""A line that parts names from rows, as databases and Markdown draw it."""
_WIDE, _WIDE_SHARE = 15, 0.8
_ITEM = re.compile(r"(?i)item|title|movie|film|book|game|product|asin|isbn|song|track|artist|recipe|anime|beer|wine")
_COUNTED = tuple(map(str, range(1000)))
"""Names that pandas gives to columns that have none; fewer than four may be a first row: user 0, item 1, rating 2."""
_KIND = re.compile(
    r"[\[(<{].*[\])>}]|str(?:ing)?|text|(?:var)?char(?:acter)?(?:\(\d+\))?|int(?:eger|\d+)?|float\d*|double|number|"
    r"numeric|bool(?:ean)?|date(?:time)?|timestamp|uuid|token|category|object|list",
    re.IGNORECASE,
)
"""A unit, or what kind of values a column has."""


def drawn(name: str, head: FirstLines) -> Problem | None:
    """Return the problem of a table that was printed for people: ruled with signs, or lined up with blanks."""
    top = [head.names, *(cells for _, cells in head.rows[:1])]
    ruled = [head.form.separator.join(cells) for cells in top if _RULE.fullmatch("".join(cells))]
    if not ruled and not (head.form.separator == " " and "" in head.names[1:-1]):
        return None
    return Problem(
        f"{name} is a table as programs print it for people",
        found=f"a line drawn below or above its names: {cut(ruled[0])!r}" if ruled else "runs of blanks between names",
        expected="one separator between cells, and rows alone below the names",
        mend="write it out as CSV: psql --csv, mysql --batch (tabs), sqlite3 -csv, to_csv(index=False) of pandas; or "
        "take the drawn lines, and any count of rows at the end, away",
    )


def shapeless(name: str, head: FirstLines, names: Sequence[str] = ()) -> Problem | None:
    """Return the problem of first lines that are those of no table, whatever its columns are called; None otherwise."""
    if len(head.names) != 1:
        return None
    line = f"line {head.line}: {cut(head.names[0])!r}"
    if head.width > 1:
        for sign in SEPARATORS[:4]:
            if head.names[0].count(sign) == head.width - 1:
                return Problem(
                    f"{name}: the first line has another separator than the rows below it",
                    found=f"{line}; {written(head.form.separator)} in the rows",
                    mend=f"write {written(head.form.separator)} into the first line too",
                )
        begins = next(line for line, cells in head.rows if len(cells) == head.width)
        return Problem(
            f"{name}: the first line is no header of the rows below it",
            found=f"{line}, and {head.width} cells in most rows",
            expected="the names of the columns in the first line",
            mend=f"remove the lines above the names of the columns, which may stand in line {begins}",
        )
    rows = [cells[0] for _, cells in head.rows]
    for sign in SEPARATORS[:4]:
        if rows and sign in head.names[0] and all(sign in cell for cell in rows):
            return Problem(
                f"{name}: each line stands in quotes as a whole, which makes one cell of it",
                found=line,
                expected=f"cells separated by {written(sign)}, and quotes around single ones at most",
                mend="take the quotes around the lines away, and make doubled ones within them single; a spreadsheet "
                "does so that has the whole table in its first column: split that column into several",
            )
    return Problem(
        f"{name} has one column only, as far as its first lines show",
        found=f"first line {cut(head.names[0])!r}",
        expected=f"columns {', '.join(names) or 'of a table'}, separated by comma, semicolon, tab, | or ::",
        mend="set data.files.separator where it is another",
    )


def second_header(name: str, head: FirstLines) -> Problem | None:
    """Return the problem of units or kinds of values below the names, which no row is that follows them."""
    first, *others = [[cell.strip() for cell in cells if cell.strip()] for _, cells in head.rows[:3]] or [[]]
    if len(first) < 2 or not _kinds(first) or not others or any(map(_kinds, others)):
        return None
    line = head.rows[0][0]
    return Problem(
        f"{name}: units or kinds of values stand below the names, where the first row belongs",
        found=f"line {line}: {cut(head.form.separator.join(head.rows[0][1]))!r}",
        expected="one line of names, and rows alone below it",
        mend=f"remove line {line}",
    )


def _kinds(cells: Sequence[str]) -> bool:
    return all(_KIND.fullmatch(cell) for cell in cells)


def numeric(head: FirstLines) -> list[bool]:
    """Return which columns hold nothing but numbers and empty cells, as far as is seen."""
    return [highest <= 1 for highest in head.ranks()]


def is_wide(numbers: Sequence[bool]) -> bool:
    """Tell a matrix by many columns that nearly all hold numbers or nothing."""
    return len(numbers) >= _WIDE and sum(numbers) >= _WIDE_SHARE * len(numbers)


def matrix(name: str, names: Sequence[str]) -> Problem:
    """Return the problem of ratings as a matrix with these columns, and how each becomes a row."""
    first = names[0] or "user"
    other = "user" if _ITEM.search(first) else "item"
    melt = f"table.melt(id_vars={first!r}, var_name={other!r}, value_name='rating')"
    if len(set(names)) < len(names):  # ratings come again, items do not: there is no header
        melt = "pandas.read_csv(..., header=None).rename_axis('user').melt(ignore_index=False, var_name='item', ...)"
    sides = ("item", "user") if other == "user" else ("user", "item")
    return Problem(
        f"{name} is a matrix: a row for each {sides[0]}, a column for each {sides[1]}",
        found=f"{len(names)} columns: {listed_names(names)}",
        expected="one row for each rating, with columns for user, item and rating",
        mend=f"turn it with pandas: {melt}.dropna().to_csv(...), and name a number that means 'not rated' in "
        "data.not_rated",
    )


def is_data(head: FirstLines, names: Sequence[str]) -> bool:
    """Tell whether the first line is no header: none of the names is in it, and numbers stand where numbers do."""
    if found(head, names) or len(head.names) != head.width or head.names == _COUNTED[: max(len(head.names), 4)]:
        return False
    above = [rank(cell) for cell, highest in zip(head.names, head.ranks(), strict=False) if highest <= 1]
    return any(above) and max(above) == 1


def listed_names(names: Sequence[str]) -> str:
    """Return the first names, a number in place of one that is empty, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(cut(name) or f'"#{n}" (no name)' for n, name in enumerate(names[:_SHOWN], 1)) or "none") + more
