"""Which rows go through the network together: pure planning over token ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from eagle.engine.base import Finish
from eagle.engine.torch.forbidden import ForbiddenTexts

_SHARED_AT_LEAST = 16  # tokens: shorter common prefixes are not worth a pass of their own
_FEW = (
    16  # rows: fewer that begin alike are not worth passes of their own [M: 81 prompts of 9 users take 0.6 of the time]
)
SCORED_TOKENS = 8192  # per scoring batch: bounds keys, values and logits in memory


@dataclass
class DecodingRow:
    """One prompt on its way: what is left after the shared prefix, what was drawn, and what must not be."""

    index: int
    suffix: list[int]
    draws: np.ndarray
    tokens: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
    finish: Finish | None = None
    text: str = ""
    forbidden: ForbiddenTexts | None = None


def groups(token_ids: Sequence[list[int]]) -> Iterator[tuple[int, list[int]]]:
    """Yield (length of the common prefix, rows) for rows that begin alike, and for all those that few others begin
    like.

    Every row keeps at least one token of its own.
    """
    opening: dict[tuple[int, ...], list[int]] = {}
    for index, ids in enumerate(token_ids):
        opening.setdefault(tuple(ids[:_SHARED_AT_LEAST]), []).append(index)
    many = [members for members in opening.values() if len(members) >= _FEW]
    rest = sorted(index for members in opening.values() if len(members) < _FEW for index in members)
    for members in [*many, rest] if rest else many:
        low, high = min(token_ids[i] for i in members), max(token_ids[i] for i in members)
        limit = min(len(token_ids[i]) for i in members) - 1
        shared = next((n for n in range(limit) if low[n] != high[n]), limit)
        yield (shared if shared >= _SHARED_AT_LEAST else 0), members


def stems(suffixes: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Group neighbouring rows that begin alike; every row keeps at least one token of its own.

    Returns the common length of each group (0 for a row alone), and each row's group.
    """
    lengths: list[int] = []
    owner: list[int] = []
    first: Sequence[int] = ()
    for index, tokens in enumerate(suffixes):
        common = next(
            (n for n, (a, b) in enumerate(zip(first, tokens, strict=False)) if a != b), min(len(first), len(tokens))
        )
        common = min(common, len(first) - 1, len(tokens) - 1)
        if index and common >= max(_SHARED_AT_LEAST, len(first) // 2):
            lengths[-1] = min(common, lengths[-1]) if owner.count(len(lengths) - 1) > 1 else common
        else:
            first = tokens
            lengths.append(0)
        owner.append(len(lengths) - 1)
    return lengths, owner


def row_batches(rows: Sequence[DecodingRow], at_most: int) -> Iterator[list[DecodingRow]]:
    """Cut rows into batches: rows that begin alike side by side, those of like length together."""
    rows = sorted(rows, key=lambda row: (row.suffix, row.index))
    _, owner = stems([row.suffix for row in rows])
    longest: dict[int, int] = {}
    for row, group in zip(rows, owner, strict=True):
        longest[group] = max(longest.get(group, 0), len(row.suffix))
    order = sorted(range(len(rows)), key=lambda i: (longest[owner[i]], owner[i], i))
    for start in range(0, len(rows), at_most):
        yield [rows[i] for i in order[start : start + at_most]]


def split(rows: Sequence[DecodingRow], parts: int) -> list[list[DecodingRow]]:
    """Deal rows out to so many parts of like size; rows that begin alike stay together unless they are more than one
    part's share.
    """
    rows, share = sorted(rows, key=lambda row: (row.suffix, row.index)), -(-len(rows) // parts)
    alike: dict[int, list[DecodingRow]] = {}
    for row, group in zip(rows, stems([row.suffix for row in rows])[1], strict=True):
        alike.setdefault(group, []).append(row)
    pieces = [group[start : start + share] for group in alike.values() for start in range(0, len(group), share)]
    dealt: list[list[DecodingRow]] = [[] for _ in range(parts)]
    for piece in sorted(pieces, key=len, reverse=True):
        min(dealt, key=len).extend(piece)
    return [part for part in dealt if part]


def token_batches(rows: Sequence[int], lengths: Sequence[int], at_most: int) -> Iterator[list[int]]:
    """Cut rows, sorted by length, into batches of at most so many padded tokens, or of one row."""
    batch: list[int] = []
    for row, length in zip(rows, lengths, strict=True):
        if batch and (len(batch) + 1) * length > at_most:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
