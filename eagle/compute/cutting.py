"""How work is cut into shards: a matter of its content and of ``llm.shard_rows`` alone, never of who does it.

In bfloat16 a text may depend on the rows that it is generated beside, so the cut decides texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def cut(items: Iterable[T], rows: int, size: Callable[[T], int] = lambda _: 1) -> list[list[T]]:
    """Return the items in shards: whole items, until a shard has ``rows`` of what ``size`` counts."""
    shards: list[list[T]] = []
    room = 0
    for item in items:
        if room <= 0:
            shards.append([])
            room = rows
        shards[-1].append(item)
        room -= size(item)
    return shards
