"""Nearest catalogue points: exactly by a matrix product, and beyond ``EXACT_UP_TO`` points by a graph index of faiss.

What comes back are always true Euclidean distances in float64, so a point on a catalogue point is at 0; an index may
miss a neighbour.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from eagle.core.errors import user_error

EXACT_UP_TO = 100_000
"""Points [M: one core, 65 dimensions: the neighbours of 60,000 points among themselves take 30 s exactly and 34 s with
the index, those of 200,000 about 550 s and 150 s; a tree is slower than the product from 10,000 points of 13 dimensions
up]."""
ROOM = 4_000_000  # numbers in one block of the product: 32 MB
# of the graph [M: 98% of the three nearest of 60,000 normal points in 65 dimensions]
LINKS, BUILD_BREADTH, SEARCH_BREADTH = 32, 80, 128


class Neighbours(Protocol):
    """Points (n, d) in; distances and indices (n, k) of the nearest catalogue points out, the nearest first."""

    def __call__(self, z: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]: ...


def neighbours_among(points: np.ndarray) -> Neighbours:
    """Return a search among ``points`` (n, d); more neighbours than there are points are not given."""
    return Exact(points) if len(points) <= EXACT_UP_TO else Indexed(points)


class Exact:
    """|x - z|^2 / 2 = |x|^2 / 2 - <x, z> + a constant, block by block; the nearest of a row, and again without it."""

    def __init__(self, points: np.ndarray) -> None:
        self._points = np.asarray(points, np.float64)
        self._half_squares = (self._points**2).sum(axis=1) / 2

    def __call__(self, z: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        z, count = np.asarray(z, np.float64), min(count, len(self._points))
        index = np.empty((len(z), count), np.int64)
        block = max(1, ROOM // len(self._points))
        for start in range(0, len(z), block):
            rest = self._half_squares - z[start : start + block] @ self._points.T
            for place in range(count):
                nearest = rest.argmin(axis=1)
                index[start : start + block, place] = nearest
                rest[np.arange(len(rest)), nearest] = np.inf
        return _measured(self._points, z, index)


class Indexed:
    """A hierarchical navigable small world graph; built by one thread, so that the same points give the same graph."""

    def __init__(self, points: np.ndarray) -> None:
        faiss = _faiss(len(points))
        self._points = np.asarray(points, np.float64)
        self._graph = faiss.IndexHNSWFlat(points.shape[1], LINKS)
        self._graph.hnsw.efConstruction = BUILD_BREADTH
        threads = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)
        self._graph.add(np.ascontiguousarray(points, np.float32))
        faiss.omp_set_num_threads(threads)

    def __call__(self, z: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        z, count = np.asarray(z, np.float64), min(count, len(self._points))
        self._graph.hnsw.efSearch = max(SEARCH_BREADTH, 4 * count)
        _, index = self._graph.search(np.ascontiguousarray(z, np.float32), count)
        return _measured(self._points, z, index)


def _measured(points: np.ndarray, z: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return true distances and indices (n, k), sorted.

    The product's differences of squares would not give an exact 0.
    """
    distance = np.stack([np.linalg.norm(points[nearest] - z, axis=1) for nearest in index.T], axis=1)
    order = np.argsort(distance, axis=1, kind="stable")
    return np.take_along_axis(distance, order, axis=1), np.take_along_axis(index, order, axis=1)


def _faiss(count: int) -> Any:
    try:
        import faiss
    except ImportError as error:
        raise user_error(
            f"a catalogue of {count:,} different points needs an index for its neighbours",
            found=error,
            expected=f"faiss, or at most {EXACT_UP_TO:,} points",
            mend="pip install 'eagle-steering[index]'",
        ) from None
    return faiss
