"""Frank-Wolfe methods for the D-optimal design of one set, as one would write them by hand in NumPy: what ours is
compared with.

All keep V^-1 and the norms g up to date by rank-one formulas, stop at the same certificate max g <= (1 + tolerance) n,
and want vectors (K, n) of full rank.
"""

from __future__ import annotations

import numpy as np

REFRESH = 50  # steps after which V is inverted anew: rank-one updates drift


def start(vectors: np.ndarray) -> np.ndarray:
    """Kumar & Yildirim (2005): equal weights on the extreme rows along n orthogonal directions."""
    count, width = vectors.shape
    chosen: list[int] = []
    directions = np.zeros((width, 0))
    for column in range(width):
        direction = np.zeros(width)
        direction[column] = 1.0
        direction -= directions @ (directions.T @ direction)
        along = vectors @ direction
        chosen += [int(along.argmax()), int(along.argmin())]
        found = vectors[chosen[-2]] - vectors[chosen[-1]]
        found -= directions @ (directions.T @ found)
        directions = np.column_stack([directions, found / np.linalg.norm(found)])
    weights = np.bincount(chosen, minlength=count).astype(float)
    return weights / weights.sum()


def _fresh(vectors: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inverse = np.linalg.inv(vectors.T @ (weights[:, None] * vectors))
    return inverse, np.einsum("kn,nm,km->k", vectors, inverse, vectors, optimize=True)


def away_steps(vectors: np.ndarray, tolerance: float) -> np.ndarray:
    """Frank-Wolfe with away steps (Wolfe 1970; Todd & Yildirim 2007; Ahipasaoglu, Sun & Todd 2008)."""
    width, weights = vectors.shape[1], start(vectors)
    for step in range(1_000_000):
        if step % REFRESH == 0:
            inverse, norms = _fresh(vectors, weights)
        toward = int(norms.argmax())
        if norms[toward] <= (1 + tolerance) * width:
            inverse, norms = _fresh(vectors, weights)
            if norms.max() <= (1 + tolerance) * width:
                break
        support = np.flatnonzero(weights)
        away = int(support[norms[support].argmin()])
        row = toward if norms[toward] - width >= width - norms[away] else away
        norm = norms[row]
        size = (norm / width - 1) / (norm - 1)
        if row != toward:
            size = max(size, -weights[row] / (1 - weights[row])) if norm > 1 else -weights[row] / (1 - weights[row])
        image = inverse @ vectors[row]
        share = size / (1 - size + size * norm)
        inverse = (inverse - share * np.outer(image, image)) / (1 - size)
        norms = (norms - share * (vectors @ image) ** 2) / (1 - size)
        weights *= 1 - size
        weights[row] = max(weights[row] + size, 0.0)
    return weights


def vertex_exchange(vectors: np.ndarray, tolerance: float) -> np.ndarray:
    """Boehning's (1986) vertex exchange: the best amount of weight from the least to the most wanted row."""
    width, weights = vectors.shape[1], start(vectors)
    for step in range(1_000_000):
        if step % REFRESH == 0:
            inverse, norms = _fresh(vectors, weights)
        to = int(norms.argmax())
        if norms[to] <= (1 + tolerance) * width:
            inverse, norms = _fresh(vectors, weights)
            if norms.max() <= (1 + tolerance) * width:
                break
        support = np.flatnonzero(weights)
        off = int(support[norms[support].argmin()])
        images = inverse @ vectors[[to, off]].T  # (n, 2)
        gram = vectors[[to, off]] @ images
        free = gram[0, 0] * gram[1, 1] - gram[0, 1] ** 2
        amount = weights[off] if free <= 0 else min(weights[off], (gram[0, 0] - gram[1, 1]) / (2 * free))
        weights[to] += amount
        weights[off] = 0.0 if amount == weights[off] else weights[off] - amount
        core = np.linalg.inv(np.diag([1 / amount, -1 / amount]) + gram)
        inverse = inverse - images @ core @ images.T
        seen = vectors @ images
        norms = norms - np.einsum("ka,ab,kb->k", seen, core, seen)
    return weights


def multiplicative(vectors: np.ndarray, tolerance: float) -> np.ndarray:
    """Titterington's (1976) multiplicative weights, without the rows that Harman & Pronzato (2007) show to be outside
    the support.
    """
    count, width = vectors.shape
    weights, rows = np.full(count, 1 / count), np.arange(count)
    while True:
        _, norms = _fresh(vectors[rows], weights[rows])
        excess = norms.max() / width - 1
        if excess <= tolerance:
            return weights
        bound = width * (1 + excess / 2 - np.sqrt(excess * (4 + excess - 4 / width)) / 2)
        weights[rows] *= norms / width
        weights[rows[norms < bound]] = 0.0
        rows = rows[norms >= bound]
        weights /= weights.sum()
