"""Ranking figures against slow definitions and known answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import somersd, spearmanr

from eagle.stats.ranking import (
    MIN_PEOPLE,
    least_ratings,
    ordered_pairs,
    ranking,
    ranking_difference,
    rmse,
    spearman,
)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_all_users_at_once_equal_one_user_at_a_time(seed: int) -> None:
    rng = np.random.default_rng(seed)
    users = rng.integers(4, size=60)
    users[:4] = range(4)
    predicted, actual = rng.integers(6, size=60).astype(float), rng.integers(1, 6, size=60).astype(float)
    rho, auc = spearman(users, predicted, actual), ordered_pairs(users, predicted, actual)
    for user in range(4):
        p, a = predicted[users == user], actual[users == user]
        if np.ptp(a) == 0 or np.ptp(p) == 0:
            continue
        assert rho[user] == pytest.approx(spearmanr(p, a).statistic)
        pairs = [(i, j) for i in range(len(a)) for j in range(len(a)) if a[i] > a[j]]
        right = sum((p[i] > p[j]) + 0.5 * (p[i] == p[j]) for i, j in pairs)
        assert auc[user] == pytest.approx(right / len(pairs))
        assert auc[user] == pytest.approx((somersd(a, p).statistic + 1) / 2)


def test_one_user_by_hand() -> None:
    users, ratings = np.zeros(5, int), np.arange(5.0)
    assert (ordered_pairs(users, ratings, ratings)[0], spearman(users, ratings, ratings)[0]) == (1.0, 1.0)
    assert (ordered_pairs(users, np.zeros(5), ratings)[0], spearman(users, np.zeros(5), ratings)[0]) == (0.5, 0.0)
    assert np.isnan([ordered_pairs(users, ratings, np.ones(5))[0], spearman(users, ratings, np.ones(5))[0]]).all()


def rows(ratings: list[list[float]]) -> pd.DataFrame:
    return pd.DataFrame([{"user": f"u{u}", "rating": r} for u, own in enumerate(ratings) for r in own])


def test_perfect_and_constant_predictions_have_their_known_figures() -> None:
    table = rows([[1, 2, 3, 4, 5], [5, 4, 3, 2, 1]])
    perfect = ranking(table, table["rating"].to_numpy(), np.random.default_rng(0))
    assert (perfect["rho"]["value"], perfect["auc"]["value"]) == (1.0, 1.0)
    constant = ranking(table, np.zeros(10), np.random.default_rng(0))
    assert (constant["rho"]["value"], constant["auc"]["value"]) == (0.0, 0.5)


def test_users_with_few_or_equal_ratings_are_not_judged() -> None:
    table = rows([*[[1, 2, 3, 4, 5]] * MIN_PEOPLE, [5, 4], [3, 3, 3, 3, 3]])
    assert ranking(table, np.arange(float(len(table))), np.random.default_rng(0))["rho"]["users"] == MIN_PEOPLE


@pytest.mark.parametrize("most", [5, 4, 3, 2])
def test_a_sparse_catalogue_is_judged_by_whom_it_has(most: int) -> None:
    """Fifty people with ``most`` different ratings, many with equal ones, who rank nothing, and many with one."""
    own = [float(n) for n in range(most)]
    table = rows([*[own] * MIN_PEOPLE, *[[3.0] * 9] * 200, *[[4.0]] * 200])
    assert least_ratings(table) == most
    assert ranking(table, table["rating"].to_numpy(), np.random.default_rng(0))["auc"] == {
        "value": 1.0,
        "low": 1.0,
        "high": 1.0,
        "users": MIN_PEOPLE,
    }


def test_nobody_to_judge_is_stated_and_not_invented() -> None:
    figures = ranking(rows([[2, 2], [1]]), np.zeros(3), np.random.default_rng(0))
    assert figures["auc"] == {"value": None, "low": None, "high": None, "users": 0}


def test_rmse_weighs_every_row_once() -> None:
    users = pd.Series(["a", "a", "a", "b"])
    assert rmse(users, np.array([1.0, 1.0, 1.0, 3.0]), np.random.default_rng(0))["value"] == pytest.approx(
        np.sqrt(3), abs=1e-4
    )


def test_a_paired_difference_with_itself_is_exactly_nothing() -> None:
    table = rows([[1, 2, 3, 4, 5], [2, 1, 4, 3, 5]])
    guess = np.random.default_rng(0).normal(size=10)
    assert ranking_difference(table, guess, guess, np.random.default_rng(0))["rho"]["high"] == 0
