"""The first rows of a file under their names, from which ``eagle init`` guesses what its columns hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from eagle.core.errors import EagleError, user_error
from eagle.data.columns.rows import some
from eagle.data.files.encodings import as_utf8
from eagle.data.files.opening import Part, parts_at
from eagle.data.files.parquet import column_names, read_parquet
from eagle.data.files.separators import head_of
from eagle.data.files.shapes import drawn, is_data, is_wide, matrix, numeric, shapeless


def first_rows(
    path: Path, encoding: str | None, known: Callable[[str], bool], of_ratings: bool = False
) -> tuple[pd.DataFrame, str]:
    """Return the first rows of a file as text, and a word where it has no header: columns are then ``#1``, ``#2``, ...

    A first line is a header where ``known`` knows one of its names, whatever else it looks like. Columns that the names
    of folders give are there too. Ratings (``of_ratings``) are no matrix. Raises
    :class:`~eagle.core.errors.EagleError` where the first lines are those of no table, so that nothing can be guessed.
    """
    part = next(parts_at(path), None)
    if part is None:
        raise user_error(f"{path} is empty", expected="a table")
    if part.parquet:
        names = column_names(part.content)  # of a broken file none: read_parquet says what is wrong with it
        table = read_parquet(part.name, part.content, {name: name for name in names})
        numbers = [pd.api.types.is_numeric_dtype(table[name]) for name in names]
        if of_ratings and is_wide(numbers) and not any(map(known, names[1:])):
            raise EagleError(matrix(part.name, names))
        return table.astype("string").assign(**part.values), ""
    return _of_text(part, encoding, known, of_ratings)


def _of_text(
    part: Part, encoding: str | None, known: Callable[[str], bool], of_ratings: bool
) -> tuple[pd.DataFrame, str]:
    content, _ = as_utf8(part.name, part.content, encoding)
    head = head_of(content, [])
    wrong = drawn(part.name, head) or shapeless(part.name, head)
    if wrong is None and of_ratings and is_wide(numeric(head)) and not any(map(known, head.names[1:])):
        wrong = matrix(part.name, head.names)
    if wrong:
        raise EagleError(wrong)
    rows = [cells for _, cells in head.rows if len(cells) == len(head.names)]
    names, said = list(head.names), ""
    if is_data(head, []) and not any(map(known, names)):
        names, rows = [f"#{n}" for n in range(1, len(names) + 1)], [list(head.names), *rows]
        said = f"no header was seen: line {head.line} looks like data ({some(rows[0])}), so columns are #1, #2, ..."
    names = [name or f"#{n}" for n, name in enumerate(names, 1)]  # an index that pandas or R wrote
    table = pd.DataFrame(rows, columns=names, dtype="string")
    return table.loc[:, ~table.columns.duplicated()].assign(**part.values), said
