"""The quick way for the plainest texts, where no quote is, and every line has as many separators as the header.

pandas then reads in a tenth of the time what :mod:`eagle.data.files.records` reads to the same table
(tests/data/test_delimited.py holds the two together).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

import numpy as np
import pandas as pd

from eagle.data.files.separators import FirstLines

_BLOCK = 1 << 25


def even_table(content: bytes, head: FirstLines, at: Mapping[str, int]) -> pd.DataFrame | None:
    """Return wanted columns (name -> place) as text by line; None where the text is not as plain as that."""
    separator, width = head.form.separator, len(head.names)
    plain = len(separator.encode()) == 1 and separator != " " and width > 1 and "" not in head.names
    if not plain or head.form.skipped or head.line != 1 or not _no_signs(content, separator):
        return None
    lines = _even_lines(content, separator.encode(), width)
    first = content.split(b"\n", 1)[0].strip()
    if lines is None or content.count(first) != 1 or len(lines) < 2:
        return None
    places = sorted(set(at.values()))
    read = pd.read_csv(
        io.BytesIO(content),
        sep=separator,
        header=None,
        skiprows=1,
        usecols=places,
        dtype="string",
        keep_default_na=False,
        na_values=["", r"\N"],
        quoting=csv.QUOTE_NONE,
        skipinitialspace=True,
        encoding="utf-8",
    )
    if len(read) != len(lines) - 1 or read.isin(head.names).sum(axis=1).gt(1).any():  # another header, perhaps
        return None
    read.index = pd.Index(lines[1:], dtype="int64", name="line")
    return pd.DataFrame({name: read[place] for name, place in at.items()})


def _no_signs(content: bytes, separator: str) -> bool:
    """Tell whether there is no quote, no tab within cells, and no line end but LF or CR LF."""
    tabs = separator != "\t" and b"\t" in content
    return not tabs and b'"' not in content and content.count(b"\r") in (0, content.count(b"\r\n"))


def _even_lines(content: bytes, separator: bytes, width: int) -> np.ndarray | None:
    """Return the numbers, from 1, of lines that are not empty; None unless each has ``width`` cells, not all empty."""
    found: list[np.ndarray] = []
    start = before = 0
    while start < len(content):
        end = len(content) if start + _BLOCK >= len(content) else content.rfind(b"\n", start, start + _BLOCK) + 1
        if end <= start:
            return None
        block = np.frombuffer(content, np.uint8, end - start, start)
        ends = np.flatnonzero(block == ord("\n"))
        if end == len(content) and block[-1] != ord("\n"):
            ends = np.append(ends, len(block))
        cells = np.diff(np.searchsorted(np.flatnonzero(block == ord(separator)), ends), prepend=0) + 1
        lengths = np.diff(ends, prepend=-1) - 1
        empty = (lengths == 0) | ((lengths == 1) & (cells == 1) & (block[np.maximum(ends - 1, 0)] == ord("\r")))
        if ((cells != width) & ~empty).any() or (lengths[~empty] <= width).any():
            return None
        found.append(np.flatnonzero(~empty) + 1 + before)
        before, start = before + len(ends), end
    return np.concatenate(found) if found else None
