"""The certified design: its certificate on any finite input, its invariances, and an independent solver."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from eagle.actions.design import Design, optimal_design, optimal_designs
from eagle.actions.design.batch import Batch, moments
from eagle.actions.design.coordinates import span_coordinates
from eagle.actions.design.newton import newton_step
from eagle.core.errors import EagleError

quick = settings(max_examples=40, derandomize=True)
small_integers = arrays(np.int64, array_shapes(min_dims=2, max_dims=2, max_side=8), elements=st.integers(-3, 3))
any_finite = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, max_side=7),
    elements=st.one_of(st.just(0.0), st.floats(-1e8, 1e8, allow_nan=False), st.floats(-1e-8, 1e-8, allow_nan=False)),
)


def exact_rank_and_factor(vectors: np.ndarray, weights: np.ndarray) -> tuple[int, float]:
    """Rank of V and max ||a||^2 in the norm of its inverse / rank, in rational arithmetic; infinity where a row leaves
    V's span.
    """
    rows = [[Fraction(float(value)) for value in row] for row in vectors]
    width = len(rows[0])
    pairs = [(Fraction(float(weight)), row) for weight, row in zip(weights, rows, strict=True)]
    moment = [[sum(weight * row[i] * row[j] for weight, row in pairs) for j in range(width)] for i in range(width)]
    table = [moment[i] + [row[i] for row in rows] for i in range(width)]
    pivots: list[int] = []
    for column in range(width):
        rank = len(pivots)
        found = next((i for i in range(rank, width) if table[i][column] != 0), None)
        if found is None:
            continue
        table[rank], table[found] = table[found], table[rank]
        table[rank] = [value / table[rank][column] for value in table[rank]]
        for i in range(width):
            if i != rank and table[i][column] != 0:
                table[i] = [x - table[i][column] * y for x, y in zip(table[i], table[rank], strict=True)]
        pivots.append(column)
    rank = len(pivots)
    if any(value != 0 for line in table[rank:] for value in line[width:]):
        return rank, float("inf")
    norms = [sum(row[p] * table[i][width + k] for i, p in enumerate(pivots)) for k, row in enumerate(rows)]
    return rank, float(max(norms)) / rank if rank else 1.0


def check(design: Design, count: int, tolerance: float = 1e-3) -> None:
    assert design.weights.shape == (count,)
    assert (design.weights >= 0).all()
    assert design.weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert 1.0 <= design.factor <= 1.0 + tolerance
    assert design.support == np.count_nonzero(design.weights)


@quick
@given(small_integers)
def test_certificate_holds_exactly_on_degenerate_integer_sets(vectors: np.ndarray) -> None:
    design = optimal_design(vectors)
    check(design, len(vectors))
    rank, factor = exact_rank_and_factor(vectors, design.weights)
    assert rank == design.rank == np.linalg.matrix_rank(vectors)
    assert factor <= 1.001 + 1e-9


@quick
@given(any_finite)
def test_certificate_holds_on_any_finite_set(vectors: np.ndarray) -> None:
    check(optimal_design(vectors), len(vectors))


@quick
@given(st.integers(1, 30), st.integers(1, 8), st.integers(-8, 8), st.integers(0, 10**6))
def test_units_of_columns_and_scale_change_nothing(count: int, width: int, power: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, width))
    units = 10.0 ** rng.uniform(-8, 8, size=width)
    mixing = np.linalg.qr(rng.normal(size=(width, width)))[0]
    plain = optimal_design(vectors, 1e-6)
    for other in (vectors * 10.0**power, vectors * units, vectors @ mixing):
        design = optimal_design(other, 1e-6)
        check(design, count, 1e-6)
        assert design.rank == plain.rank == min(count, width)
        assert logdet(vectors, design.weights) == pytest.approx(logdet(vectors, plain.weights), abs=1e-4)


def logdet(vectors: np.ndarray, weights: np.ndarray) -> float:
    """Log of the product of the nonzero eigenvalues of V, through the singular values of the weighted rows."""
    values = np.linalg.svd(np.sqrt(weights)[:, None] * vectors, compute_uv=False)
    return float(2 * np.log(values[values > 1e-9 * values[0]]).sum())


@pytest.mark.parametrize("scales", [np.logspace(-8, 8, 12), 10.0 ** np.random.default_rng(3).uniform(-8, 8, size=12)])
def test_rows_of_very_different_length_hold_the_certificate_exactly(scales: np.ndarray) -> None:
    vectors = np.random.default_rng(0).normal(size=(12, 5)) * scales[:, None]
    design = optimal_design(vectors)
    check(design, 12)
    assert design.rank == 5
    assert exact_rank_and_factor(vectors, design.weights)[1] <= 1.001 + 1e-9


@pytest.mark.parametrize(("rank", "scale"), [(1, 1e-8), (2, 1.0), (5, 1e8), (15, 1.0)])
def test_rounded_low_rank_products_have_their_numerical_rank(rank: int, scale: float) -> None:
    rng = np.random.default_rng(rank)
    sets = [rng.normal(size=(100, rank)) @ rng.normal(size=(rank, 16)) * scale for _ in range(50)]
    for design in optimal_designs(sets):
        check(design, 100)
        assert design.rank == rank
    for design in optimal_designs([s.astype(np.float32) for s in sets[:10]]):
        assert design.rank == rank


def test_zeros_have_rank_zero_and_uniform_weights() -> None:
    design = optimal_design(np.zeros((4, 3)))
    assert (design.rank, design.factor, design.iterations) == (0, 1.0, 0)
    np.testing.assert_array_equal(design.weights, np.full(4, 0.25))


def test_one_row_gets_everything_and_zero_rows_nothing() -> None:
    assert optimal_design([[3.0, -4.0]]).weights.tolist() == [1.0]
    assert optimal_design([[0, 0], [3, -4], [0, 0]]).weights.tolist() == [0.0, 1.0, 0.0]


def test_independent_rows_are_uniform_whatever_their_length() -> None:
    design = optimal_design(np.diag([1e8, 1.0, 1e-8]) @ np.random.default_rng(0).normal(size=(3, 6)))
    np.testing.assert_allclose(design.weights, 1 / 3, rtol=1e-12)


def test_known_answer_of_polynomial_regression() -> None:
    """Quadratic regression on [-1, 1]: a third each at -1, 0 and 1 (Kiefer & Wolfowitz)."""
    points = np.linspace(-1, 1, 41)
    design = optimal_design(np.vander(points, 3), 1e-6)
    np.testing.assert_allclose(design.weights[[0, 20, 40]], 1 / 3, atol=1e-3)


def test_equal_rows_share_their_weight_and_order_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(12, 4))[rng.integers(0, 12, size=30)]
    design = optimal_design(vectors)
    order = rng.permutation(30)
    shuffled = optimal_design(vectors[order])
    np.testing.assert_array_equal(shuffled.weights, design.weights[order])
    assert shuffled.factor == design.factor
    for row in range(30):
        equal = (vectors == vectors[row]).all(axis=1)
        assert np.ptp(design.weights[equal]) < 1e-15


def test_batch_of_many_shapes_equals_one_by_one() -> None:
    rng = np.random.default_rng(2)
    sets = [rng.normal(size=(rng.integers(1, 40), rng.integers(1, 9))) for _ in range(30)] + [np.zeros((3, 2))]
    for vectors, design in zip(sets, optimal_designs(sets), strict=True):
        alone = optimal_design(vectors)
        assert (design.rank, len(design.weights)) == (alone.rank, len(vectors))
        np.testing.assert_allclose(design.weights, alone.weights, atol=1e-6)


def test_chunks_equal_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    sets = [np.random.default_rng(seed).normal(size=(20, 4)) for seed in range(7)]
    whole = optimal_designs(sets)
    monkeypatch.setattr("eagle.actions.design.solver.CHUNK_NUMBERS", 200)
    for a, b in zip(whole, optimal_designs(sets), strict=True):
        np.testing.assert_array_equal(a.weights, b.weights)
    assert optimal_designs([]) == []


@pytest.mark.parametrize(("count", "width"), [(6, 3), (30, 5), (40, 12)])
def test_optimum_equals_an_independent_convex_solver(count: int, width: int) -> None:
    import cvxpy

    vectors = np.random.default_rng(count).normal(size=(count, width))
    weights = cvxpy.Variable(count, nonneg=True)
    problem = cvxpy.Problem(
        cvxpy.Maximize(cvxpy.log_det(vectors.T @ cvxpy.diag(weights) @ vectors)), [cvxpy.sum(weights) == 1]
    )
    problem.solve(solver=cvxpy.CLARABEL)
    design = optimal_design(vectors, 1e-6)
    assert logdet(vectors, design.weights) == pytest.approx(problem.value, abs=1e-4)
    gap = problem.value - logdet(vectors, optimal_design(vectors, 0.05).weights)
    assert -1e-5 < gap <= width * np.log(1.05)


@pytest.mark.parametrize(
    "vectors",
    [
        [[1.0, np.nan]],
        [[np.inf, 1.0]],
        [[-np.inf]],
        [],
        [[]],
        np.zeros((0, 3)),
        [1.0],
        np.zeros((2, 2, 2)),
        [["a"]],
        [[1.0], [1.0, 2.0]],
    ],
)
def test_unusable_input_is_one_clear_error(vectors: object) -> None:
    with pytest.raises(EagleError) as caught:
        optimal_design(vectors)  # type: ignore[arg-type]
    assert len(caught.value.problems) == 1
    assert "action set 0" in str(caught.value)


def test_all_unusable_sets_are_named_at_once() -> None:
    with pytest.raises(EagleError) as caught:
        optimal_designs([[[np.nan]], [[1.0]], []])
    assert [str(p).split("\n")[0].split(" set ")[1][0] for p in caught.value.problems] == ["0", "2"]


@pytest.mark.parametrize("tolerance", [0.0, -1.0, np.nan, np.inf, 1e-12])
def test_unusable_tolerance_is_an_error(tolerance: float) -> None:
    with pytest.raises(EagleError, match="tolerance"):
        optimal_design([[1.0]], tolerance)


@quick
@given(st.integers(2, 30), st.integers(1, 6), st.integers(0, 10**6))
def test_a_newton_step_never_lowers_the_volume(count: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(1, count, width))
    span = span_coordinates(vectors, np.finfo(float).eps)
    batch = Batch(span, np.ones((1, count), dtype=bool))
    batch.weights = rng.dirichlet(np.ones(count), size=1)
    batch.refresh()
    before = np.linalg.slogdet(moments(batch.rows, batch.weights, batch.ranks))[1]
    moved = newton_step(batch, np.array([0]), 1e-6)
    after = np.linalg.slogdet(moments(batch.rows, batch.weights, batch.ranks))[1]
    assert (after > before) == moved
    assert (batch.weights >= 0).all()
    assert batch.weights.sum() == pytest.approx(1.0)


def test_near_the_optimum_a_newton_step_squares_the_error() -> None:
    vectors = np.random.default_rng(1).normal(size=(40, 6))
    span = span_coordinates(vectors[None], np.finfo(float).eps)
    batch = Batch(span, np.ones((1, 40), dtype=bool))
    batch.weights = optimal_design(vectors, 1e-3).weights[None]
    batch.refresh()
    before = batch.excess()[0]
    newton_step(batch, np.array([0]), 1e-9)
    batch.refresh()
    assert batch.excess()[0] < 100 * before**2


@pytest.mark.parametrize("tolerance", [1e-3, 1e-8])
def test_a_finer_certificate_costs_a_few_steps_more(tolerance: float) -> None:
    vectors = np.random.default_rng(0).normal(size=(100, 16))
    design = optimal_design(vectors, tolerance)
    check(design, 100, tolerance)
    assert design.iterations < 60


def test_coarse_numbers_beside_a_set_do_not_coarsen_it() -> None:
    close = np.array([[1.0, 1.0], [1.0, 1.0 + 1e-8]])
    beside, _ = optimal_designs([close, np.eye(2, dtype=np.float32)])
    assert (optimal_design(close).rank, beside.rank) == (2, 2)
    assert optimal_design(close.astype(np.float32)).rank == 1
