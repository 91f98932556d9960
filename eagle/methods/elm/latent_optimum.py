"""The point that ELM decodes: the best one near the anchor that the catalogue's manifold holds.

1. Sought is a point of best U near the anchor's, in a region around data points, since an optimum off the manifold
   cannot be decoded. The paper (arXiv 2406.00024) leaves region, radius and optimiser open.
2. The manifold is the Gaussian of the training items: coordinates along their principal axes, in SD along each. A point
   may lie ``radius`` from its anchor, and no further from the middle than 95% of these items (or than its anchor).
   Directions in which the items do not vary stay as they are in the anchor.
3. The optimiser needs no gradient, so that any utility is served: points are drawn in the region, the best ones say
   where the next are drawn (the cross-entropy method).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

DRAWN, ROUNDS, BEST = 256, 6, 24
"""Points of a round, rounds, and points of a round that say where the next is drawn."""
HELD = 0.95
"""Share of the items that the manifold holds."""
_LEAST = 1e-6  # of the largest SD: an axis with less is none

Values = Callable[[np.ndarray], np.ndarray]
"""What points (n, d) are worth, (n,); -inf for one that will not do."""


@dataclass(frozen=True)
class Manifold:
    """Principal axes of the training items."""

    middle: np.ndarray  # (d,)
    axes: np.ndarray  # (r, d): each principal direction, as long as the SD along it
    reach: float  # in SD: distance from the middle within which HELD of the items lie

    @classmethod
    def of(cls, items: np.ndarray) -> Manifold:
        """Measure items (n, d)."""
        items = np.asarray(items, np.float64)
        middle = items.mean(axis=0)
        _, lengths, directions = np.linalg.svd(items - middle, full_matrices=False)
        spread = lengths / np.sqrt(len(items))
        kept = spread > _LEAST * max(float(spread.max(initial=0.0)), _LEAST)
        axes = directions[kept] * spread[kept, None]
        there = cls(middle, axes, 0.0).coordinates(items)
        return cls(middle, axes, float(np.quantile(np.linalg.norm(there, axis=1), HELD)))

    def coordinates(self, points: np.ndarray) -> np.ndarray:
        """Return (n, r), in SD along each axis, of points (n, d)."""
        squared = (self.axes**2).sum(axis=1)
        found: np.ndarray = (points - self.middle) @ self.axes.T / squared
        return found

    def best(self, anchor: np.ndarray, values: Values, radius: float, rng: np.random.Generator) -> np.ndarray:
        """Return the best point (d,) found near ``anchor`` (d,); the anchor itself where nothing is worth more."""
        anchor = np.asarray(anchor, np.float64)
        start, axes = self.coordinates(anchor[None])[0], len(self.axes)
        top, worth = anchor, float(values(anchor[None])[0])
        centre, width = np.zeros(axes), np.full(axes, radius / np.sqrt(max(1, axes)))
        for _ in range(ROUNDS):
            moves = self._within(start, centre + width * rng.standard_normal((DRAWN, axes)), radius)
            points = anchor + moves @ self.axes
            found = values(points)
            order = np.argsort(-found, kind="stable")[:BEST]
            centre, width = moves[order].mean(axis=0), moves[order].std(axis=0)
            if found[order[0]] > worth:
                top, worth = points[order[0]], float(found[order[0]])
        return top

    def _within(self, start: np.ndarray, moves: np.ndarray, radius: float) -> np.ndarray:
        """Shorten moves (n, r) from ``start`` (r,) to ``radius``, and to where they leave the manifold."""
        length = np.linalg.norm(moves, axis=1, keepdims=True)
        moves = moves * np.minimum(1.0, radius / np.maximum(length, 1e-12))
        reach = max(self.reach, float(np.linalg.norm(start)))
        # The share s of a move at which |start + s * move| = reach: the larger root of a quadratic.
        a, b, c = np.maximum((moves**2).sum(axis=1), 1e-24), moves @ start, start @ start - reach**2
        share = (-b + np.sqrt(np.maximum(b**2 - a * c, 0.0))) / a
        shortened: np.ndarray = moves * np.clip(share, 0.0, 1.0)[:, None]
        return shortened
