"""Ridge regressions of many rows: exact ones against dense algebra, near ones against exact ones, whatever the blocks
and threads.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.latent import least_squares
from eagle.latent.least_squares import Missing, improve, normal_equations, pack, solve, solve_rows
from eagle.latent.ratings import Ratings
from tests.latent.conftest import Planted, plant


def uneven(seed: int = 0, rows: int = 50, columns: int = 400) -> Ratings:
    """Rows of very different lengths, two of them empty and one full."""
    rng = np.random.default_rng(seed)
    lengths = np.minimum(np.r_[0, 0, columns, rng.zipf(1.3, rows - 3)], columns)
    column = np.concatenate([rng.choice(columns, n, replace=False) for n in lengths])
    row = np.repeat(np.arange(rows), lengths)
    return Ratings.from_pairs(
        row, column, rng.normal(size=len(row)), [f"u{n}" for n in range(rows)], [f"i{n}" for n in range(columns)]
    )


def problem(
    ratings: Ratings, k: int, weight: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Missing]:
    """Features, shift, penalty and missing entries for ``ratings``."""
    rng = np.random.default_rng(seed)
    rows, columns = ratings.counts.shape
    missing = Missing(weight, rng.normal(size=rows), rng.normal(size=columns))
    return rng.normal(size=(columns, k)), rng.normal(size=columns), rng.uniform(0.5, 2.0, size=k), missing


def test_half_a_sweep_is_the_dense_ridge_solution_row_by_row(planted: Planted) -> None:
    ratings, rng = planted.ratings, np.random.default_rng(1)
    features, shift, penalty = rng.normal(size=(50, 4)), rng.normal(size=50), np.array([1.0, 2.0, 3.0, 4.0])
    fast = solve_rows(*normal_equations(pack(ratings), features, shift), penalty)
    counts, sums = ratings.counts.toarray(), ratings.sums.toarray()
    for row in range(len(fast)):
        x, y = features[counts[row] > 0], (sums[row] - shift)[counts[row] > 0]
        np.testing.assert_allclose(fast[row], np.linalg.solve(x.T @ x + np.diag(penalty), x.T @ y), atol=1e-9)


@settings(deadline=None, max_examples=20)
@given(weight=st.floats(0, 2), seed=st.integers(0, 1000))
def test_missing_entries_weigh_as_a_dense_weighted_regression_says(weight: float, seed: int) -> None:
    world, rng = plant(6, 7, 2, seed=seed), np.random.default_rng(seed)
    features, shift = rng.normal(size=(7, 3)), rng.normal(size=7)
    missing = Missing(weight, rng.normal(size=6), rng.normal(size=7))
    left, right = normal_equations(pack(world.ratings), features, shift, missing)
    seen, sums = world.ratings.counts.toarray() > 0, world.ratings.sums.toarray()
    target = np.where(seen, sums, missing.row[:, None] + missing.column) - shift
    weights = np.where(seen, 1.0, weight)
    np.testing.assert_allclose(left, np.einsum("ni,ia,ib->nab", weights, features, features), atol=1e-8)
    np.testing.assert_allclose(right, (weights * target) @ features, atol=1e-8)


@pytest.mark.parametrize("size", [1, 40, 8192])
def test_blocks_hold_every_rating_once(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    for limit in ("BLOCK", "LARGE_BLOCK"):
        monkeypatch.setattr(least_squares, limit, size)
    ratings = uneven()
    packed, seen = pack(ratings), np.zeros((50, 401))
    for block in packed.blocks:
        assert len(block.rows) == 1 or block.columns.size <= 2 * size
        np.add.at(seen, (block.rows[:, None], block.columns), np.where(block.columns < 400, block.values, 0.0))
    np.testing.assert_allclose(seen[:, :400], ratings.sums.toarray())
    assert sorted(np.concatenate([block.rows for block in packed.blocks])) == list(range(50))


@settings(deadline=None, max_examples=20)
@given(weight=st.sampled_from([0.0, 0.3, 1.0]), seed=st.integers(0, 1000))
def test_enough_steps_from_anywhere_reach_the_exact_solution(weight: float, seed: int) -> None:
    ratings = uneven(seed)
    features, shift, penalty, missing = problem(ratings, 4, weight, seed)
    exact = solve(pack(ratings), features, shift, penalty, missing)
    start = np.random.default_rng(seed).normal(size=exact.shape)
    np.testing.assert_allclose(improve(pack(ratings), features, shift, penalty, start, 12, missing), exact, atol=1e-5)
    np.testing.assert_allclose(improve(pack(ratings), features, shift, penalty, exact, 1, missing), exact, atol=1e-9)


def test_the_exact_solution_is_that_of_all_normal_equations_at_once() -> None:
    ratings = uneven()
    features, shift, penalty, missing = problem(ratings, 5, 0.2)
    whole = solve_rows(*normal_equations(pack(ratings), features, shift, missing), penalty)
    np.testing.assert_allclose(solve(pack(ratings), features, shift, penalty, missing), whole, atol=1e-12)


@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_blocks_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch, weight: float) -> None:
    ratings = uneven()
    features, shift, penalty, missing = problem(ratings, 4, weight)
    start = np.zeros((50, 4))
    whole = improve(pack(ratings), features, shift, penalty, start, 2, missing)
    monkeypatch.setattr(least_squares, "BLOCK", 60)
    np.testing.assert_allclose(improve(pack(ratings), features, shift, penalty, start, 2, missing), whole, atol=1e-10)
    small = improve(pack(ratings), features, shift, penalty, start, 2, missing)
    monkeypatch.setattr(least_squares, "blas_threads", lambda: 3)
    monkeypatch.setattr(least_squares, "SHARE", 1)
    assert least_squares.threads_of_steps(pack(ratings).blocks) == 3
    np.testing.assert_array_equal(improve(pack(ratings), features, shift, penalty, start, 2, missing), small)


def test_many_ratings_are_cut_into_larger_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    ratings, rows = uneven(), {}
    monkeypatch.setattr(least_squares, "BLOCK", 1)
    for blocks in (1, ratings.sums.nnz):
        monkeypatch.setattr(least_squares, "BLOCKS", blocks)
        rows[blocks] = max(len(block.rows) for block in pack(ratings).blocks if block.columns.size)
    assert rows[1] > rows[ratings.sums.nnz] == 1


def test_a_pair_that_was_rated_twice_counts_twice() -> None:
    row, column, rating = np.array([0, 0, 0]), np.array([1, 1, 0]), np.array([1.0, 4.0, 2.0])
    ratings = Ratings.from_pairs(row, column, rating, ["u"], ["x", "y"])
    features, shift, penalty, missing = problem(ratings, 2, 0.0)
    x, y = features[column], rating - shift[column]
    expected = np.linalg.solve(x.T @ x + np.diag(penalty), x.T @ y)
    np.testing.assert_allclose(solve(pack(ratings), features, shift, penalty, missing)[0], expected, atol=1e-6)
    assert ratings.mean == pytest.approx(7 / 3)
    assert ratings.transposed.counts.toarray().tolist() == [[1], [2]]


def test_single_precision_stays_single() -> None:
    ratings = uneven()
    features, shift, penalty, missing = problem(ratings, 4, 0.3)
    found = improve(
        pack(ratings), features.astype(np.float32), shift, penalty, np.zeros((50, 4), np.float32), 9, missing
    )
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, solve(pack(ratings), features, shift, penalty, missing), atol=1e-3)


def test_a_solution_that_is_not_finite_is_an_error() -> None:
    ratings = uneven()
    features, shift, penalty, missing = problem(ratings, 4, 0.3)
    huge = np.full((50, 4), 3e38, np.float32)
    with pytest.raises(FloatingPointError, match="no finite solution"):
        improve(pack(ratings), features.astype(np.float32), shift, penalty, huge, 2, missing)
