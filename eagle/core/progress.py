"""Progress with remaining time, readable both on a terminal and in a log file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def bar(total: int | None, label: str, unit: str = "it") -> tqdm:
    """Return a progress bar with rate and remaining time; in a log file one line every 10 seconds."""
    terminal = sys.stderr.isatty()
    return tqdm(
        total=total,
        desc=label,
        unit=unit,
        mininterval=0.2 if terminal else 10.0,
        dynamic_ncols=terminal,
        file=sys.stderr,
    )


def track(items: Iterable[T], label: str, total: int | None = None, unit: str = "it") -> Iterator[T]:
    """Yield ``items`` while a bar shows how far the work is."""
    with bar(total if total is not None else getattr(items, "__len__", lambda: None)(), label, unit) as progress:
        for item in items:
            yield item
            progress.update()
