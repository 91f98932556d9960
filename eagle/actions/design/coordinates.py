"""Rank and well-conditioned coordinates of many sets of vectors at once.

A D-optimal (equally: G-optimal) design does not change under an invertible linear map of its vectors, so every set may
be solved in coordinates of our choice. Chosen here: r rows of the set itself as a basis, picked by pivoted
Gram-Schmidt. In these coordinates the chosen rows are unit vectors and all others are of moderate size, whatever the
units of columns, the lengths of rows or the condition of the set, so that the solver behind never meets an
ill-conditioned matrix.

Rank: a row counts as inside the span of the rows picked before it when what is left of it is below
``10 max(K, n) eps`` of ITS OWN length (eps of the input's number type). Lengths of other rows do not matter: a short
row in a direction of its own is a dimension.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SpanCoordinates:
    """``rows`` (S, K, r_max): coordinates, zero-padded; ``ranks`` (S,); ``basis`` (S, r_max): row indices, -1 beyond
    the rank.
    """

    rows: Array
    ranks: NDArray[np.int64]
    basis: NDArray[np.int64]


def _equilibrate(vectors: Array) -> tuple[Array, NDArray[np.int64]]:
    """Scale rows and columns by powers of two (exactly) until all largest entries are about 1.

    Returns the scaled vectors (S, K, n) and each row's exponent (S, K): row scale = 2 ** exponent.
    """
    scaled = vectors
    exponents = np.zeros(vectors.shape[:2], dtype=np.int64)
    for _ in range(4):
        for axis in (1, 2):
            _, exponent = np.frexp(np.abs(scaled).max(axis=axis, keepdims=True, initial=0.0))
            scaled = np.ldexp(scaled, -exponent)
            if axis == 2:
                exponents += exponent[:, :, 0]
                settled = not exponent.any()
        if settled:
            break
    return scaled, exponents


def _orthogonal_step(left: Array, basis: Array, norms: Array) -> tuple[NDArray[np.int64], Array]:
    """Pick the row of the largest remainder of each set; return its index (S,) and its direction (S, n), zero where
    none is left.
    """
    pick = np.argmax(norms, axis=1)
    direction = np.take_along_axis(left, pick[:, None, None], axis=1)[:, 0]
    for _ in range(2):  # once more against the earlier directions: "twice is enough"
        direction = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), np.finfo(float).tiny)
        direction = direction - np.einsum("snj,sj->sn", basis, np.einsum("snj,sn->sj", basis, direction))
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), np.finfo(float).tiny)
    return pick, direction


def span_coordinates(vectors: Array, eps: float | Array) -> SpanCoordinates:
    """Return coordinates of each set's rows in a basis of its own rows.

    ``vectors`` (S, K, n) finite, zero rows as padding; ``eps``: relative precision of the numbers, of each set (S,) or
    of all.
    The loop runs over dimensions, at most min(K, n); all sets and rows go together.
    """
    sets, count, width = vectors.shape
    unit, exponents = _equilibrate(vectors)
    lengths = np.linalg.norm(unit, axis=2)  # of the order of 1, or 0 for a zero row
    exponents = np.where(
        lengths > 0, exponents - exponents.max(axis=1, keepdims=True, initial=-10_000, where=lengths > 0), 0
    )
    scale = np.ldexp(1.0, np.maximum(exponents, -1000))  # row lengths relative to the longest, (S, K)
    floor = 10 * max(count, width) * np.reshape(eps, (-1, 1)) * lengths
    steps = min(count, width)
    left, along = unit.copy(), np.zeros((sets, steps, count))
    outside = np.ones((sets, count), dtype=bool)  # of the span of the rows picked so far
    removed = np.empty_like(left)
    directions = np.zeros((sets, width, steps))
    basis = np.full((sets, steps), -1, dtype=np.int64)
    ranks = np.zeros(sets, dtype=np.int64)
    every = np.arange(sets)
    for step in range(steps):
        norms = np.sqrt(np.vecdot(left, left))
        outside &= norms > floor
        if not outside.any():
            break
        norms = np.where(outside, norms * scale, 0.0)
        pick, direction = _orthogonal_step(left, directions, norms)
        found = norms[every, pick] > 0
        direction[~found] = 0.0
        basis[found, step] = pick[found]
        ranks += found
        directions[:, :, step] = direction
        along[:, step] = np.where(outside, np.matvec(left, direction), 0.0)
        np.multiply(along[:, step, :, None], direction[:, None, :], out=removed)
        left -= removed
        outside[every[found], pick[found]] = False
    rank = int(ranks.max(initial=0))
    return SpanCoordinates(
        _in_row_basis(along[:, :rank].transpose(0, 2, 1) * scale[:, :, None], basis[:, :rank]), ranks, basis[:, :rank]
    )


def _in_row_basis(along: Array, basis: NDArray[np.int64]) -> Array:
    """Express orthogonal coordinates (S, K, r) in the chosen rows: solve X T = along, T lower triangular, from the last
    column.
    """
    triangle = np.take_along_axis(along, np.maximum(basis, 0)[:, :, None], axis=1)  # (S, r, r)
    rows = np.zeros_like(along)
    for column in range(along.shape[2] - 1, -1, -1):
        rest = along[:, :, column] - np.einsum(
            "skj,sj->sk", rows[:, :, column + 1 :], triangle[:, column + 1 :, column]
        )
        present = basis[:, column] >= 0
        pivot = np.where(present, triangle[:, column, column], 1.0)
        rows[:, :, column] = np.where(present[:, None], rest / pivot[:, None], 0.0)
    return rows
