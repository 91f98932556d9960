"""The joint hybrid against dense algebra, its own objective and a planted text map."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from eagle.config import EncoderConfig
from eagle.latent.hybrid import fit_joint, solve_text_map, solve_users
from eagle.latent.ratings import Ratings
from tests.latent.conftest import Planted

SOFT = {
    "lambda_user": 0.5, "lambda_offset": 2.0, "lambda_text": 0.1,
    "lambda_bias_text": 0.1, "lambda_bias_offset": 2.0, "lambda_user_bias": 0.5,
}  # fmt: skip


def planted_text(
    seed: int = 0, n_users: int = 80, n_items: int = 60, f: int = 5, k: int = 2
) -> tuple[Ratings, np.ndarray, np.ndarray]:
    """Ratings whose item vectors are exactly linear in the features; returns them, the features and all expected
    ratings.
    """
    rng = np.random.default_rng(seed)
    x, w, p = rng.normal(size=(n_items, f)), rng.normal(size=(k + 1, f)), rng.normal(size=(n_users, k))
    expected = 3 + x @ w[0] + p @ (x @ w[1:].T).T
    u, i = np.nonzero(rng.random((n_users, n_items)) < 0.4)
    table = pd.DataFrame({"user": [f"u{n}" for n in u], "item": [f"i{n}" for n in i], "rating": expected[u, i]})
    ratings = Ratings.from_table(table, [f"u{n}" for n in range(n_users)], [f"i{n}" for n in range(n_items - 20)])
    return ratings, x, expected


def test_a_planted_text_map_predicts_items_never_rated() -> None:
    ratings, x, expected = planted_text()
    config = EncoderConfig(rounds=30, **SOFT)
    model = fit_joint(ratings, x[:40], np.random.default_rng(1).normal(size=(80, 2)), config)
    new = x[40:] @ model.text_map.T  # (20, k + 1)
    predicted = model.mean + model.users[:, :1] + new[:, 0] + model.users[:, 1:] @ new[:, 1:].T
    truth = expected[:, 40:]
    assert np.corrcoef(predicted.ravel(), truth.ravel())[0, 1] > 0.99


def test_every_round_lowers_the_objective(planted: Planted) -> None:
    x = np.random.default_rng(2).normal(size=(50, 6))
    start = np.random.default_rng(3).normal(size=(60, 3))
    values = []
    for rounds in range(1, 8):
        config = EncoderConfig(rounds=rounds, **SOFT)
        values.append(fit_joint(planted.ratings, x, start, config).objective(planted.ratings, x, config))
    assert all(later < earlier for earlier, later in pairwise(values))


def test_the_marginalised_map_is_the_joint_optimum_of_map_and_offsets() -> None:
    """Twin: one dense least-squares problem over W and all offsets at once."""
    rng = np.random.default_rng(4)
    n, k, f = 7, 2, 3
    x = rng.normal(size=(n, f))
    designs, answers = [rng.normal(size=(5, k)) for _ in range(n)], [rng.normal(size=5) for _ in range(n)]
    left = np.array([d.T @ d for d in designs])
    right = np.array([d.T @ y for d, y in zip(designs, answers, strict=True)])
    offset, text = np.array([1.5, 4.0]), np.array([0.7, 2.0])
    fast = solve_text_map(left, right, x, offset, text)
    unknowns = k * f + n * k
    blocks, targets = [], []
    for i, (d, y) in enumerate(zip(designs, answers, strict=True)):
        block = np.zeros((5, unknowns))
        block[:, : k * f] = np.einsum("ra,j->raj", d, x[i]).reshape(5, -1)
        block[:, k * f + i * k : k * f + (i + 1) * k] = d
        blocks.append(block)
        targets.append(y)
    a, b = np.vstack(blocks), np.concatenate(targets)
    penalty = np.diag(np.concatenate([np.repeat(text, f), np.tile(offset, n)]))
    dense = np.linalg.solve(a.T @ a + penalty, a.T @ b)[: k * f].reshape(k, f)
    np.testing.assert_allclose(fast, dense, atol=1e-9)


def test_fold_in_equals_the_joint_optimum_of_the_users(planted: Planted) -> None:
    config = EncoderConfig(rounds=3, **SOFT)
    x = np.random.default_rng(2).normal(size=(50, 6))
    model = fit_joint(planted.ratings, x, np.random.default_rng(3).normal(size=(60, 3)), config)
    np.testing.assert_allclose(solve_users(model.mean, model.items, planted.ratings, config), model.users, atol=1e-10)


def test_an_item_without_ratings_stands_where_its_text_puts_it() -> None:
    ratings, x, _ = planted_text()
    silent = Ratings(ratings.users, [*ratings.items, "new"], ratings.counts.copy(), ratings.sums.copy())
    for matrix in (silent.counts, silent.sums):
        matrix.resize((80, 41))
    model = fit_joint(silent, x[:41], np.random.default_rng(1).normal(size=(80, 2)), EncoderConfig(rounds=2, **SOFT))
    np.testing.assert_allclose(model.items[40], model.text_map @ x[40], atol=1e-10)
    assert np.abs(model.items[:40] - x[:40] @ model.text_map.T).max() > 1e-6


@pytest.mark.parametrize("order", [1, 2])
def test_the_order_of_items_does_not_matter(order: int) -> None:
    ratings, x, _ = planted_text()
    config, start = EncoderConfig(rounds=2, **SOFT), np.random.default_rng(1).normal(size=(80, 2))
    shuffled = np.random.default_rng(order).permutation(40)
    moved = Ratings(
        ratings.users,
        [ratings.items[i] for i in shuffled],
        ratings.counts[:, shuffled].tocsr(),
        ratings.sums[:, shuffled].tocsr(),
    )
    plain, other = fit_joint(ratings, x[:40], start, config), fit_joint(moved, x[:40][shuffled], start, config)
    np.testing.assert_allclose(other.text_map, plain.text_map, atol=1e-8)
    np.testing.assert_allclose(other.users, plain.users, atol=1e-8)
