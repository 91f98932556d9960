"""Ridge regressions of many rows at once, each on the features of the columns that it rated: what every factorisation
here is made of.

1. Rows of like length are packed into blocks once (:func:`pack`). A block's features are one gather (b, l, k), and
   everything after it is a batched product of BLAS or LAPACK on numbers that are still in the cache. No array of all
   rows' k x k sides exists unless it is asked for (:func:`normal_equations`).
2. Exactly (:func:`solve`): normal equations and a batched solve, k^2 per rating and k^3 per row.
3. Nearly (:func:`improve`): a few steps of conjugate gradients from the present solution, 2 k per rating and step. The
   problem of an alternation moves with every half sweep anyway; Takács, Pilászy & Tikk (2011) found that two or three
   steps do as well.
4. Blocks are independent: they run on as many threads as BLAS would take, each with one BLAS thread, and in any order
   give the same. Threads take turns between the operations of a block, so steps run on few threads where blocks are
   small (:func:`threads_of_steps`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from queue import SimpleQueue

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from eagle.latent.ratings import Ratings

BLOCK = 8192  # ratings: with 64 features 2 MB, which stays in the cache [M: 2048 is 30% slower]
LARGE_BLOCK = (
    32768  # where there are ratings for BLOCKS of them [M: 10 million, four threads: .5 of the time; 131072 is slower]
)
BLOCKS = 256
# ratings of a mean block for each thread that makes steps [M: on four threads a million take .5 of the time, 100,000
# .3]
SHARE = 3000
TOGETHER = 4  # threads that make steps, at most [M: a fourth gains nothing more]
ROWS = 512  # of a block at most: bounds its k x k sides
SPREAD = 1.05  # longest by shortest row of a block [M: pads 1% of the ratings]
_TINY = np.finfo(np.float32).tiny


@dataclass(frozen=True)
class Block:
    """Rows of like length; a padded place has column ``n_columns`` and value 0."""

    rows: np.ndarray  # (b,)
    columns: np.ndarray  # (b, l) int32
    values: np.ndarray  # (b, l) float32


@dataclass(frozen=True)
class Packed:
    """Ratings by blocks of rows of like length; rows without ratings share a block of no columns."""

    shape: tuple[int, int]
    blocks: list[Block]


@dataclass(frozen=True)
class Missing:
    """Unobserved entries take part with ``weight`` at the target ``row[i] + column[j]``."""

    weight: float
    row: np.ndarray  # (n_rows,)
    column: np.ndarray  # (n_columns,)


def pack(ratings: Ratings) -> Packed:
    """Sort the rows by length and cut them into blocks of at most ``BLOCK`` to ``LARGE_BLOCK`` ratings, or one row."""
    pointers, columns, values = _entries(ratings)
    most = max(BLOCK, min(LARGE_BLOCK, len(columns) // BLOCKS))
    lengths = np.diff(pointers)
    order = np.argsort(lengths, kind="stable")
    ascending = lengths[order]
    blocks, start = [], 0
    while start < len(order):
        shortest = int(ascending[start])
        stop = int(np.searchsorted(ascending, max(int(SPREAD * shortest), shortest), side="right"))
        stop = min(stop, start + max(1, min(ROWS, most // max(shortest, 1))))
        rows, place = order[start:stop], np.arange(ascending[stop - 1])
        padded = place >= lengths[rows, None]
        at = np.where(padded, 0, pointers[rows, None] + place)
        blocks.append(
            Block(
                rows,
                np.where(padded, np.int32(len(ratings.items)), columns[at]),
                np.where(padded, np.float32(0), values[at]),
            )
        )
        start = stop
    return Packed((len(ratings.users), len(ratings.items)), blocks)


def _entries(ratings: Ratings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row pointers, columns and values with one entry per rating: a pair rated twice has two of its mean."""
    sums, counts = ratings.sums, ratings.counts.data
    if not len(counts) or counts.max() == 1:
        return sums.indptr, sums.indices, sums.data
    entry = np.repeat(np.arange(sums.nnz), counts.astype(np.int64))
    pointers = np.append(0, np.cumsum(counts, dtype=np.int64))[sums.indptr]
    return pointers, sums.indices[entry], (sums.data / counts)[entry]


class _Problem:
    """What all rows of a half sweep share: row i explains ``rating - shift[j]`` by ``<x_i, features[j]>`` over its
    columns j.
    """

    def __init__(self, features: np.ndarray, shift: np.ndarray, missing: Missing | None) -> None:
        self.number = features.dtype
        self.features = np.vstack([features, np.zeros((1, features.shape[1]), self.number)])  # a padded column has none
        self.shift = np.append(shift, 0).astype(self.number)
        self.weight = self.number.type(missing.weight if missing else 0)
        if missing and missing.weight:
            self.row, self.column = missing.row.astype(self.number), np.append(missing.column, 0).astype(self.number)
            self.gram = self.weight * (features.T @ features)
            self.total = self.weight * features.sum(axis=0)
            self.base = self.weight * ((self.column - self.shift)[:-1] @ features)

    def of(self, block: Block, room: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | float]:
        """Return the block's features (b, l, k), answers (b, l) and what all columns add to the right side (b, k)."""
        features = room[: block.columns.size].reshape(*block.columns.shape, room.shape[1])
        self.features.take(block.columns, axis=0, out=features, mode="clip")
        shift = self.shift.take(block.columns)
        if not self.weight:
            return features, block.values - shift, 0.0
        row = self.row[block.rows, None]
        answers = block.values - shift - self.weight * (row + self.column.take(block.columns) - shift)
        return features, answers, row * self.total + self.base

    def sides(self, block: Block, room: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the left (b, k, k) and right (b, k) sides of the block's normal equations."""
        features, answers, base = self.of(block, room)
        left = features.transpose(0, 2, 1) @ features
        if self.weight:
            left = (1 - self.weight) * left + self.gram
        return left, np.vecmat(answers, features) + base

    def descend(
        self, block: Block, room: np.ndarray, penalty: np.ndarray, solution: np.ndarray, steps: int
    ) -> np.ndarray:
        """Return the block's rows (b, k) after ``steps`` of conjugate gradients from ``solution`` (b, k)."""
        features, answers, base = self.of(block, room)
        observed = 1 - self.weight

        def pull(vectors: np.ndarray) -> np.ndarray:
            return penalty * vectors + (vectors @ self.gram if self.weight else 0)

        rest = np.vecmat(answers - observed * np.matvec(features, solution), features) + base - pull(solution)
        direction, square = rest, np.vecdot(rest, rest)
        for step in range(steps):
            seen, pulled = np.matvec(features, direction), pull(direction)
            curvature = observed * np.vecdot(seen, seen) + np.vecdot(direction, pulled)
            length = (square / np.maximum(curvature, _TINY))[:, None]
            solution = solution + length * direction
            if step + 1 < steps:
                rest = rest - length * (observed * np.vecmat(seen, features) + pulled)
                before, square = square, np.vecdot(rest, rest)
                direction = rest + (square / np.maximum(before, _TINY))[:, None] * direction
        return solution

    def each(self, blocks: Sequence[Block], work: Callable[[Block, np.ndarray], None], threads: int) -> None:
        """Do ``work`` on every block, each thread in a room of its own for features: NumPy lets other threads run while
        it computes.
        """
        rooms: SimpleQueue[np.ndarray] = SimpleQueue()
        for _ in range(threads):
            rooms.put(
                np.empty(
                    (max((block.columns.size for block in blocks), default=0), self.features.shape[1]), self.number
                )
            )

        def one(block: Block) -> None:
            room = rooms.get()
            with np.errstate(
                invalid="ignore", over="ignore"
            ):  # kernels of BLAS may flag lanes that lie beyond the rows
                work(block, room)
            rooms.put(room)

        with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, blocks))


def _finite(solution: np.ndarray) -> np.ndarray:
    """Return the solution; FloatingPointError where a number of it is not finite: the flags of single steps are not
    trusted.
    """
    if not np.isfinite(solution).all():
        raise FloatingPointError(
            "a least-squares problem has no finite solution: its features, ratings or penalty are out of range"
        )
    return solution


def normal_equations(
    packed: Packed, features: np.ndarray, shift: np.ndarray, missing: Missing | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the left (n_rows, k, k) and right (n_rows, k) sides of every row's least-squares problem.

    Row i explains ``rating - shift[j]`` by ``<x_i, features[j]>`` over its rated columns j; features (n_columns, k).
    """
    problem, n_rows, k = _Problem(features, shift, missing), packed.shape[0], features.shape[1]
    left, right = np.empty((n_rows, k, k), features.dtype), np.empty((n_rows, k), features.dtype)

    def fill(block: Block, room: np.ndarray) -> None:
        left[block.rows], right[block.rows] = problem.sides(block, room)

    problem.each(packed.blocks, fill, blas_threads())
    return left, right


def solve_rows(left: np.ndarray, right: np.ndarray, penalty: np.ndarray, prior: np.ndarray | None = None) -> np.ndarray:
    """Return argmin_x of every row's problem plus ``penalty * (x - prior)^2``: (n_rows, k); penalty (k,)."""
    pull = right if prior is None else right + penalty * prior
    solved: np.ndarray = np.linalg.solve(left + np.diag(penalty), pull[:, :, None])[:, :, 0]
    return solved


def solve(
    packed: Packed, features: np.ndarray, shift: np.ndarray, penalty: np.ndarray, missing: Missing | None = None
) -> np.ndarray:
    """Return every row's ridge solution (n_rows, k), block by block; arguments as for :func:`normal_equations`."""
    problem = _Problem(features, shift, missing)
    solution = np.empty((packed.shape[0], features.shape[1]), features.dtype)

    def fill(block: Block, room: np.ndarray) -> None:
        solution[block.rows] = solve_rows(*problem.sides(block, room), penalty.astype(features.dtype))

    problem.each(packed.blocks, fill, blas_threads())
    return _finite(solution)


def improve(
    packed: Packed,
    features: np.ndarray,
    shift: np.ndarray,
    penalty: np.ndarray,
    start: np.ndarray,
    steps: int,
    missing: Missing | None = None,
) -> np.ndarray:
    """Return every row's solution after ``steps`` of conjugate gradients from ``start`` (n_rows, k)."""
    problem = _Problem(features, shift, missing)
    solution = np.empty((packed.shape[0], features.shape[1]), features.dtype)

    def fill(block: Block, room: np.ndarray) -> None:
        solution[block.rows] = problem.descend(block, room, penalty.astype(features.dtype), start[block.rows], steps)

    problem.each(packed.blocks, fill, threads_of_steps(packed.blocks))
    return _finite(solution)


def threads_of_steps(blocks: Sequence[Block]) -> int:
    """A step is many operations, and a thread that waits for its turn to call the next sleeps longer than a small one
    takes.
    """
    mean = sum(block.columns.size for block in blocks) // max(len(blocks), 1)
    return max(1, min(blas_threads(), TOGETHER, mean // SHARE))


@cache
def blas_threads() -> int:
    """As many as BLAS would take: its own variables, OMP_NUM_THREADS, or the cores that this process may use."""
    return max(
        (int(library["num_threads"]) for library in threadpool_info() if library["user_api"] == "blas"), default=1
    )
