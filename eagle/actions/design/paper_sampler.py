"""The paper's sampler of exploration designs, kept for comparison. It is ill-posed:

1. Follows the paper (App. E.1): draw k of the K actions at random, weigh them uniformly, accept when max ||z_a||^2 in
   the norm of Sigma^-1 is at most C n; the paper takes k = 10 and C = 1.
2. With uniform weights on a subset S, the mean over S of ||z_a||^2 is rank(Sigma), so the maximum is at least that:
   with an invertible Sigma the test for C = 1 can only pass with equality, which a draw never meets.
3. With k <= n independent vectors and a pseudo-inverse every member of S has norm exactly k <= n: the test passes for
   every subset and selects nothing. The pseudo-inverse also ignores what an action has outside the span of S, the very
   thing that is unexplored.
4. Over all actions and with an honest inverse the test for C = 1 does not pass; after ``tries`` draws the best subset
   seen is taken.
5. So whatever was accepted, the factor over ALL actions is reported with an honest inverse in the span of all actions:
   infinite where S leaves a direction of the other actions unexplored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eagle.actions.design.coordinates import Array, span_coordinates
from eagle.config import PaperSampler

TOGETHER = 128  # draws tested side by side; those after the one that passes are forgotten


@dataclass(frozen=True)
class SampledDesign:
    """A uniform design on a subset.

    ``weights`` (K,); ``tested``: the quantity of the acceptance test divided by n; ``factor``: max norm / rank over ALL
    actions, infinite where the subset does not span them; ``rank``: of the subset; ``support``: rows with weight;
    ``accepted``: the test passed; ``tries`` made.
    """

    weights: Array
    tested: float
    factor: float
    rank: int
    support: int
    accepted: bool
    tries: int


def _norms(rows: Array, subsets: NDArray[np.int64], inverse: str) -> Array:
    """Return ||a||^2 (T, K) of all rows (K, n) in the norm of the inverse of each subset's (T, k) uniform Sigma;
    infinite without one.
    """
    chosen = rows[subsets]
    values, vectors = np.linalg.eigh(np.matmul(chosen.transpose(0, 2, 1), chosen) / subsets.shape[1])
    kept = values > values.shape[1] * np.finfo(float).eps * np.maximum(values[:, -1:], np.finfo(float).tiny)
    along = np.matmul(rows, vectors) ** 2 / np.where(kept, values, np.inf)[:, None, :]
    there = kept.all(axis=1, keepdims=True) | (inverse == "pseudo")
    return np.where(there, along.sum(axis=2), np.inf)


def _honest(rows: Array, subset: NDArray[np.int64], eps: float) -> tuple[float, int]:
    """Return (max norm over all rows / their rank, rank of the subset), in coordinates of the span of all rows."""
    span = span_coordinates(rows[None], eps)
    chosen = int(span_coordinates(rows[None, subset], eps).ranks[0])
    rank = int(span.ranks[0])
    if rank == 0:
        return 1.0, 0
    if chosen < rank:
        return float("inf"), chosen
    return float(_norms(span.rows[0], subset[None], "exact").max() / rank), chosen


def sample_design(vectors: Array, settings: PaperSampler, rng: np.random.Generator) -> SampledDesign:
    """Draw subsets of ``settings.subset`` rows of ``vectors`` (K, n) until one passes the test, else take the best
    seen.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    eps = (
        float(np.finfo(np.asarray(vectors).dtype).eps)
        if np.asarray(vectors).dtype.kind == "f"
        else float(np.finfo(float).eps)
    )
    count, width = rows.shape
    size = min(settings.subset, count)
    best, best_value, made = np.arange(size), np.inf, 0
    while made < settings.tries and not best_value <= settings.factor:
        subsets = np.array(
            [rng.choice(count, size, replace=False) for _ in range(min(TOGETHER, settings.tries - made))]
        )
        norms = _norms(rows, subsets, settings.inverse)
        tested = (norms if settings.supremum == "all" else np.take_along_axis(norms, subsets, axis=1)).max(
            axis=1
        ) / width
        passed = tested <= settings.factor
        place = int(np.argmax(passed) if passed.any() else np.argmin(tested))
        if tested[place] < best_value or not made:
            best, best_value = subsets[place], float(tested[place])
        made += place + 1 if passed.any() else len(subsets)
    weights = np.zeros(count)
    weights[best] = 1.0 / size
    factor, rank = _honest(rows, best, eps)
    return SampledDesign(weights, best_value, factor, rank, size, best_value <= settings.factor, made)


def sample_designs(
    sets: Sequence[Array], settings: PaperSampler, rngs: Sequence[np.random.Generator]
) -> list[SampledDesign]:
    """Draw one design per set, each with its own generator."""
    return [sample_design(vectors, settings, rng) for vectors, rng in zip(sets, rngs, strict=True)]
