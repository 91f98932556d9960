"""Bytes as Python prints them, ``b'Heat'``: what a program writes that does not decode them first."""

from __future__ import annotations

import ast

import pandas as pd

_WRITTEN = r"b(?:'.*'|\".*\")"


def without_bytes(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the table with text for columns of nothing but such bytes in UTF-8, and the names of these columns."""
    changed = {}
    for place, name in enumerate(table.columns):
        column = table.iloc[:, place]
        known = column.dropna() if isinstance(column.dtype, pd.StringDtype) else column.iloc[:0]
        if len(known) and known.iloc[:1].str.fullmatch(_WRITTEN).all() and known.str.fullmatch(_WRITTEN).all():
            texts = {cell: _decoded(cell) for cell in known.unique()}
            if None not in texts.values():
                changed[str(name)] = column.map(texts).astype("string")
    return table.assign(**changed), list(changed)


def _decoded(cell: str) -> str | None:
    try:
        found: bytes = ast.literal_eval(cell)
        return found.decode("utf-8")
    except (ValueError, SyntaxError):
        return None
