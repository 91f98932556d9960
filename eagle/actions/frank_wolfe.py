"""Certified D-optimal designs of many sets at once.

1. Follows Fedorov and Wynn's Frank-Wolfe step with exact line search, and the away steps of Ahipasaoglu, Sun & Todd (2008), which
   make the convergence linear. Equivalence theorem (Kiefer & Wolfowitz 1960): max_a g_a = r at the optimum and never below r, where
   g_a = ||a||^2 in the norm of V^-1 and V = sum_a w_a a a^T, so max_a g_a / r - 1 bounds the distance from it without knowing it.
2. Differs: all sets step together (one rank-one update of every inverse and every norm per step), from r basis rows of weight 1/r.
3. Every ``REFRESH`` steps V is rebuilt and inverted from the weights; a set leaves only when the fresh norms certify it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eagle.actions.coordinates import Array, SpanCoordinates
from eagle.errors import user_error

REFRESH = 24


def _fresh_norms(rows: Array, weights: Array, ranks: NDArray[np.int64]) -> tuple[Array, Array]:
    """Return V^-1 (S, r, r) and g (S, K) from the weights alone; dimensions beyond a set's rank are padded with ones."""
    moment = np.matmul(rows.transpose(0, 2, 1) * weights[:, None, :], rows)
    beyond = np.arange(rows.shape[2])[None, :] >= ranks[:, None]
    diagonal = np.arange(rows.shape[2])
    moment[:, diagonal, diagonal] += beyond
    factor = np.linalg.inv(np.linalg.cholesky(moment))  # L^-1
    return np.matmul(factor.transpose(0, 2, 1), factor), (np.matmul(rows, factor.transpose(0, 2, 1)) ** 2).sum(axis=2)


def factors_of(rows: Array, weights: Array, ranks: NDArray[np.int64]) -> Array:
    """Return max_a g_a / r per set (S,), by a fresh factorisation, over all rows (S, K, r); 1.0 where the rank is 0."""
    _, norms = _fresh_norms(rows, weights, ranks)
    return np.where(ranks > 0, norms.max(axis=1, initial=0.0) / np.maximum(ranks, 1), 1.0)


class _Batch:
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
        self.inverse, self.norms = _fresh_norms(self.rows, self.weights, self.ranks)

    def refresh(self) -> None:
        """Rebuild inverse and norms from the weights."""
        self.weights /= np.maximum(self.weights.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        self.inverse, self.norms = _fresh_norms(self.rows, self.weights, self.ranks)

    def keep(self, chosen: NDArray[np.bool_]) -> None:
        """Drop the sets that are done."""
        for name in ("ids", "rows", "ranks", "weights", "steps", "inverse", "norms"):
            setattr(self, name, getattr(self, name)[chosen])

    def excess(self) -> Array:
        """How far each set's largest norm is above its rank, relative (S,)."""
        return self.norms.max(axis=1, initial=0.0) / np.maximum(self.ranks, 1) - 1.0

    def step(self, tolerance: float) -> None:
        """One Frank-Wolfe or away step of every set whose running norms are not yet certified, in place."""
        every = np.arange(len(self.ids))
        rank = np.maximum(self.ranks, 1).astype(float)
        toward = np.argmax(self.norms, axis=1)
        away = np.argmin(np.where(self.weights > 0, self.norms, np.inf), axis=1)
        high, low = self.norms[every, toward], self.norms[every, away]
        moving = high > rank * (1.0 + tolerance)
        forward = high / rank - 1.0 >= 1.0 - low / rank
        chosen = np.where(forward, toward, away)
        norm, held = np.where(forward, high, low), self.weights[every, chosen]
        with np.errstate(divide="ignore", invalid="ignore"):
            free = (norm / rank - 1.0) / (norm - 1.0)
            full_drop = -held / (1.0 - held)
            size = np.where(forward, free, np.where(norm <= 1.0, full_drop, np.maximum(free, full_drop)))
        dropped = ~forward & (size <= full_drop) & moving
        size = np.where(moving, size, 0.0)
        self._move(every, chosen, norm, size)
        self.weights[every[dropped], chosen[dropped]] = 0.0
        self.steps += moving

    def _move(self, every: NDArray[np.int64], chosen: NDArray[np.int64], norm: Array, size: Array) -> None:
        """V <- (1 - size) V + size a a^T, with the inverse and all norms by the rank-one formula; a size below 0 takes weight away."""
        row = self.rows[every, chosen]  # (S, r)
        image = np.matmul(self.inverse, row[:, :, None])[:, :, 0]
        ratio = size / (1.0 - size)
        share = ratio / (1.0 + ratio * norm)
        grow = 1.0 / (1.0 - size)
        self.inverse -= share[:, None, None] * image[:, :, None] * image[:, None, :]
        self.inverse *= grow[:, None, None]
        self.norms -= share[:, None] * np.matmul(self.rows, image[:, :, None])[:, :, 0] ** 2
        self.norms *= grow[:, None]
        self.weights *= (1.0 - size)[:, None]
        self.weights[every, chosen] += size


def solve(span: SpanCoordinates, usable: NDArray[np.bool_], tolerance: float) -> tuple[Array, NDArray[np.int64]]:
    """Return weights (S, K) with max_a g_a <= (1 + tolerance) r over the usable rows (S, K), and the steps taken (S,).

    The number of steps is bounded by O(r log log K + r / tolerance) (Todd 2016, ch. 3); above a generous multiple of it,
    which only a tolerance beyond double precision reaches, an EagleError says so.
    """
    batch = _Batch(span, usable)
    weights, steps = np.zeros_like(batch.weights), np.zeros_like(batch.steps)
    aim = 0.99 * tolerance  # leaves room for the rounding of the final check
    limit = int(100 * (span.rows.shape[2] + 1) * (1 / tolerance + 10))
    for count in range(limit + 1):
        if count % REFRESH == 0:
            batch.refresh()
            done = batch.excess() <= aim
            weights[batch.ids[done]], steps[batch.ids[done]] = batch.weights[done], batch.steps[done]
            batch.keep(~done)
            if not len(batch.ids):
                return weights, steps
        batch.step(aim)
    raise user_error(
        f"{len(batch.ids)} action sets did not reach the design's tolerance",
        found=f"factor 1 + {batch.excess().max():.2g} after {limit} steps",
        expected=f"at most 1 + {tolerance:g}",
        mend="raise design.tolerance",
    )
