"""What stands between the categories in one cell: recognised by the categories that a cut leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from eagle.core.errors import Problem
from eagle.data.columns.missing import missing_words
from eagle.data.columns.prose import unescaped
from eagle.data.columns.rows import some
from eagle.data.columns.spelled import spelled

SEPARATORS = ("|", ",", ";", "/", "\t", ">", "\n", "、", "，", "；", "／")
"""What stands between categories, in tables of any script; line breaks do in cells of forms."""
_INSIDE_NAMES = (" - ", " – ", " & ", " + ", " and ", "#", "•", "·")
"""What may stand inside one category too, as in Action & Adventure."""
OFTEN = 0.3
"""Share of the cells in which another separator stands before it is taken for the right one [ours]."""
MOST, CLEARLY = 0.5, 0.5
"""Share of the cells in which a sign stands, and share of the categories that are left if it cuts, from which it is the
right one although it may stand inside names, or the declared one stands somewhere [ours]."""
STRAY = 0.02
"""Share of the cells up to which the declared separator may stand there by chance [ours]."""


@dataclass(frozen=True)
class _Cut:
    sign: str
    holding: int
    names: int


def better_separator(cells: Sequence[str], separator: str) -> str | None:
    """Return the sign that cuts cells of categories better than ``separator``; None where that does, or none does."""
    best = _best(cells, separator)
    return best.sign if best else None


def wrong_separator(name: str, column: pd.Series, separator: str) -> Problem | None:
    """Return the problem of cells that another separator cuts better; None where ``separator`` does."""
    cells = cells_of(column)
    best = _best(cells, separator)
    if best is None:
        return None
    now = _cut(cells, separator)
    seldom = f"{now.holding:,} of {len(cells):,} cells" if now.holding else "no cell"
    return Problem(
        f"{name}: column {column.name!r} is not separated by {separator!r}",
        found=f"{separator!r} in {seldom} and {best.sign!r} in {best.holding:,} of {len(cells):,}: {now.names:,} "
        f"categories as they are, {best.names:,} if cut at {best.sign!r}; such as {some(cells, 2)}",
        expected="categories that several items share",
        mend=f'set data.files.genre_separator: "{best.sign}"'.replace("\t", "\\t").replace("\n", "\\n"),
    )


def cells_of(column: pd.Series) -> list[str]:
    """Return the cells that hold plain text, no list."""
    cells = column[~missing_words(column)].dropna()
    return [unescaped(cell) for cell in cells if isinstance(cell, str) and cell.strip() and spelled(cell) is None]


def _best(cells: Sequence[str], separator: str) -> _Cut | None:
    """Return the cut that leaves the fewest categories, where the declared sign stands in no cell, or by chance."""
    now = _cut(cells, separator)
    if len(cells) < 10 or now.holding > max(1, STRAY * len(cells)):
        return None
    cuts = [_cut(cells, sign) for sign in (*SEPARATORS, *_INSIDE_NAMES) if sign != separator]
    right = [cut for cut in cuts if _right(cut, now, len(cells))]
    return min(right, key=lambda cut: cut.names, default=None)


def _right(cut: _Cut, now: _Cut, cells: int) -> bool:
    if now.holding or cut.sign in _INSIDE_NAMES:
        return cut.holding > MOST * cells and cut.names <= CLEARLY * now.names
    return cut.holding >= OFTEN * cells and cut.names < now.names


def _cut(cells: Sequence[str], sign: str) -> _Cut:
    names = {part.strip().lower() for cell in cells for part in cell.split(sign)}
    return _Cut(sign, sum(sign in cell for cell in cells), len(names - {""}))
