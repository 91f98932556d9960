"""Where the designs of many sets stand: weights w, the inverse of V = sum_a w_a a a^T, and the norms g_a = ||a||^2 of
V^-1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eagle.actions.design.coordinates import Array, SpanCoordinates

Index = NDArray[np.int64]


def moments(rows: Array, weights: Array, ranks: Index) -> Array:
    """Return V (S, r, r) of rows (S, K, r); dimensions beyond a set's rank are padded with ones."""
    moment = np.matmul(rows.transpose(0, 2, 1) * weights[:, None, :], rows)
    diagonal = np.arange(rows.shape[2])
    moment[:, diagonal, diagonal] += diagonal[None, :] >= ranks[:, None]
    return moment


def inverses_and_norms(rows: Array, weights: Array, ranks: Index) -> tuple[Array, Array]:
    """Return V^-1 (S, r, r) and g (S, K) from the weights alone."""
    factor = np.linalg.inv(np.linalg.cholesky(moments(rows, weights, ranks)))  # L^-1
    whitened = np.matmul(rows, np.ascontiguousarray(factor.transpose(0, 2, 1)))
    return np.matmul(factor.transpose(0, 2, 1), factor), np.vecdot(whitened, whitened)


def factors_of(rows: Array, weights: Array, ranks: Index) -> Array:
    """Return max_a g_a / r per set (S,), by a fresh factorisation, over all rows (S, K, r); 1.0 where the rank is 0."""
    _, norms = inverses_and_norms(rows, weights, ranks)
    return np.where(ranks > 0, norms.max(axis=1, initial=0.0) / np.maximum(ranks, 1), 1.0)


class Batch:
    """The sets still being solved; all arrays are indexed by (set, ...)."""

    def __init__(self, span: SpanCoordinates, usable: NDArray[np.bool_]) -> None:
        sets, count, _ = span.rows.shape
        self.ids = np.arange(sets)
        self.rows = np.where(usable[:, :, None], span.rows, 0.0)
        self.ranks = span.ranks
        self.weights = np.zeros((sets, count))
        index = np.nonzero(span.basis >= 0)
        self.weights[index[0], span.basis[index]] = 1.0 / self.ranks[index[0]]
        self.steps = np.zeros(sets, dtype=np.int64)
        self.round = np.zeros(sets, dtype=np.int64)  # Frank-Wolfe steps to take next
        self.refresh()

    def refresh(self) -> None:
        """Rebuild inverse and norms from the weights."""
        self.weights /= np.maximum(self.weights.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        self.inverse, self.norms = inverses_and_norms(self.rows, self.weights, self.ranks)

    def keep(self, chosen: NDArray[np.bool_]) -> None:
        """Drop the sets that are done."""
        for name in ("ids", "rows", "ranks", "weights", "steps", "round", "inverse", "norms"):
            setattr(self, name, getattr(self, name)[chosen])

    def excess(self) -> Array:
        """How far each set's largest norm is above its rank, relative (S,)."""
        return self.norms.max(axis=1, initial=0.0) / np.maximum(self.ranks, 1) - 1.0
