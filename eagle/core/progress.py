"""Progress with remaining time, readable both on a terminal and in a log file."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")
_listeners: list[Callable[[], None]] = []


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


def one_more() -> None:
    """Say, from whatever thread, that one more row of a piece of work is written, to whoever shows it.

    See :class:`Pieces`.
    """
    for listener in _listeners[-1:]:
        listener()


class Pieces:
    """A bar over pieces of work that count many rows each; rows of a piece under way move it too.

    Some rows are written twice, so they count for no more than the largest piece that is left, and the bar never goes
    back.
    """

    def __init__(self, progress: tqdm, counts: Iterable[int]) -> None:
        self._bar, self._left = progress, list(counts)
        self._finished, self._under_way, self._lock = 0, 0, Lock()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Let :func:`one_more` move the bar within the block."""
        _listeners.append(self._row)
        try:
            yield
        finally:
            _listeners.remove(self._row)

    def finish(self, place: int) -> None:
        """Count the piece ``place`` as done, whatever was said of its rows."""
        with self._lock:
            self._finished += self._left[place]
            self._left[place] = self._under_way = 0
            self._show()

    def _row(self) -> None:
        with self._lock:
            self._under_way = min(self._under_way + 1, max(self._left, default=0))
            self._show()

    def _show(self) -> None:
        reached = min(self._finished + self._under_way, self._bar.total)
        self._bar.update(max(0, reached - self._bar.n))


@contextlib.contextmanager
def rows_shown(rows: int, label: str, unit: str) -> Iterator[None]:
    """Show a bar of ``rows`` that :func:`one_more` moves within the block, and that is full after it."""
    with bar(rows, label, unit) as progress:
        piece = Pieces(progress, [rows])
        with piece.listening():
            yield
        piece.finish(0)
