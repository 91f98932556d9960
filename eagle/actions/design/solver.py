"""G-optimal exploration designs over action vectors, with a certificate.

1. Follows the paper (Definition 1): a design q over the actions has factor C when max over a of ||z_a||^2 in the norm
   of Sigma(q)^-1 is at most C n, with Sigma(q) = E_q[z_a z_a^T].
2. Differs: the paper draws uniform subsets until a test passes that selects nothing (see paper_sampler); here the
   weights come from a solver whose result proves itself: the factor is at least 1 for every design and at most
   1 + tolerance for this one (frank_wolfe). That factor is the certificate.
3. Differs: on a set that spans only r < n dimensions the paper's inverse does not exist; here everything happens in the
   span, and r takes the place of n (coordinates).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eagle.actions.design.batch import factors_of
from eagle.actions.design.coordinates import Array, span_coordinates
from eagle.actions.design.frank_wolfe import solve
from eagle.core.errors import EagleError, Problem, user_error

MIN_TOLERANCE = 1e-8
CHUNK_NUMBERS = 400_000  # 3 MB of float64 per array, which stays in the cache: larger lists are solved in chunks


@dataclass(frozen=True)
class Design:
    """A design over the K rows of one set.

    ``weights`` (K,) >= 0 with sum 1; ``factor`` = max over ALL rows of ||a||^2_{V^-1} / rank, 1.0 is perfect; ``rank``
    of the set; ``support``: number of rows with a weight above 0; ``iterations``: steps taken.
    """

    weights: Array
    factor: float
    rank: int
    support: int
    iterations: int


def optimal_design(vectors: ArrayLike, tolerance: float = 1e-3) -> Design:
    """Return a G-optimal design of one set of vectors (K, n) with ``factor <= 1 + tolerance``.

    Holds for any finite input: rank-deficient, duplicated rows (which share their weight equally), one row, K < n, any
    scale of rows or columns. If all rows are zero, rank is 0, the factor 1.0 and the weights uniform. The
    order of the rows does not matter. EagleError for NaN, infinite, empty or not two-dimensional input.
    """
    return optimal_designs([vectors], tolerance)[0]


def optimal_designs(sets: Sequence[ArrayLike], tolerance: float = 1e-3) -> list[Design]:
    """Return one design per set of vectors (K_s, n_s); all sets are solved side by side.

    An empty list gives an empty list.
    """
    arrays, eps = _checked(sets)
    if not np.isfinite(tolerance) or tolerance < MIN_TOLERANCE:
        raise user_error(
            "the design's tolerance is not usable", found=tolerance, expected=f"a number from {MIN_TOLERANCE:g} up"
        )
    if not arrays:
        return []
    largest = max(a.shape[0] for a in arrays) * max(a.shape[1] for a in arrays)
    size = max(1, CHUNK_NUMBERS // largest)
    return [
        d
        for start in range(0, len(arrays), size)
        for d in _solve_chunk(arrays[start : start + size], eps[start : start + size], float(tolerance))
    ]


def _checked(sets: Sequence[ArrayLike]) -> tuple[list[NDArray[np.floating]], list[float]]:
    """Return the sets as float arrays and the relative precision of each.

    All problems in one EagleError.
    """
    arrays: list[NDArray[np.floating]] = []
    problems: list[Problem] = []
    eps: list[float] = []
    for index, vectors in enumerate(sets):
        name = f"the vectors of action set {index}"
        try:
            array = np.asarray(vectors)
            if array.dtype.kind not in "biuf":
                array = array.astype(np.float64)
        except (TypeError, ValueError):
            problems.append(
                Problem(f"{name} are not numbers", type(vectors).__name__, "an array (actions, dimensions)")
            )
            continue
        if array.ndim != 2 or 0 in array.shape:
            problems.append(
                Problem(f"{name} have the wrong shape", str(array.shape), "(actions, dimensions), both at least 1")
            )
            continue
        bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
        if len(bad):
            found = f"rows {bad[:5].tolist()}, {len(bad)} of {len(array)}"
            problems.append(Problem(f"{name} hold NaN or infinite numbers", found, "finite numbers"))
            continue
        eps.append(float(max(np.finfo(kind).eps for kind in (np.float64, array.dtype) if np.dtype(kind).kind == "f")))
        arrays.append(array)
    if problems:
        raise EagleError(problems)
    return arrays, eps


def _padded(arrays: Sequence[NDArray[np.floating]]) -> tuple[Array, NDArray[np.bool_]]:
    """Return (S, K, n) with zeros around the smaller sets, and which rows are real (S, K)."""
    shapes = np.array([a.shape for a in arrays])
    real = np.arange(shapes[:, 0].max())[None, :] < shapes[:, :1]
    columns = np.arange(shapes[:, 1].max())[None, :] < shapes[:, 1:]
    padded = np.zeros((*real.shape, columns.shape[1]))
    padded[real[:, :, None] & columns[:, None, :]] = np.concatenate([a.ravel() for a in arrays])
    return padded + 0.0, real  # + 0.0 turns -0.0 into 0.0, so that equal rows have equal bytes


def _canonical_order(padded: Array, real: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Sort each set's rows by value, padding last.

    Return the order (S, K) and which sorted rows repeat the one before.
    """
    first = np.where(real, padded[:, :, 0], np.inf)
    order = np.argsort(first, axis=1)
    ascending = np.take_along_axis(first, order, axis=1)
    repeats = np.zeros(real.shape, dtype=bool)
    tied = ((ascending[:, 1:] == ascending[:, :-1]) & np.isfinite(ascending[:, 1:])).any(axis=1)
    if tied.any():  # the first column does not tell all rows apart
        order[tied], repeats[tied] = _order_by_all_columns(padded[tied], real[tied])
    return order, repeats


def _order_by_all_columns(padded: Array, real: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    sets, count, width = padded.shape
    keys = [padded[:, :, column].ravel() for column in range(width - 1, -1, -1)]
    order = np.lexsort([*keys, ~real.ravel(), np.repeat(np.arange(sets), count)]).reshape(sets, count)
    order -= np.arange(sets)[:, None] * count
    ordered = np.take_along_axis(padded, order[:, :, None], axis=1)
    repeats = np.zeros((sets, count), dtype=bool)
    repeats[:, 1:] = (ordered[:, 1:] == ordered[:, :-1]).all(axis=2) & np.take_along_axis(real, order, axis=1)[:, 1:]
    return order, repeats


def _share_among_repeats(weights: Array, repeats: NDArray[np.bool_]) -> Array:
    """Give every row of a run of equal rows the same part of the first one's weight; (S, K) sorted."""
    group = np.cumsum(~repeats.ravel()) - 1
    return (np.bincount(group, weights.ravel()) / np.bincount(group))[group].reshape(weights.shape)


def _solve_chunk(arrays: Sequence[NDArray[np.floating]], eps: Sequence[float], tolerance: float) -> list[Design]:
    padded, real = _padded(arrays)
    order, repeats = _canonical_order(padded, real)
    span = span_coordinates(np.take_along_axis(padded, order[:, :, None], axis=1), np.array(eps))
    weights, steps = solve(span, ~repeats, tolerance)
    weights = _share_among_repeats(weights, repeats)
    factors = np.maximum(factors_of(span.rows, weights, span.ranks), 1.0)
    restored = np.zeros_like(weights)
    np.put_along_axis(restored, order, weights, axis=1)
    restored = np.where(span.ranks[:, None] > 0, restored, real / real.sum(axis=1, keepdims=True))
    return [
        Design(
            restored[s, : len(array)].copy(),
            float(factors[s]),
            int(span.ranks[s]),
            int((restored[s] > 0).sum()),
            int(steps[s]),
        )
        for s, array in enumerate(arrays)
    ]
