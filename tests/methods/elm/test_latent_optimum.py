"""The latent optimum: where it must lie is known by construction."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eagle.methods.elm.latent_optimum import Manifold

ITEMS = np.random.default_rng(0).normal(size=(400, 4)) * [2.0, 1.0, 0.5, 0.0] + [1.0, 0.0, -1.0, 3.0]


def sd_from(manifold: Manifold, one: np.ndarray, other: np.ndarray) -> float:
    return float(np.linalg.norm(manifold.coordinates((one - other)[None] + manifold.middle)))


@given(seed=st.integers(0, 30), radius=st.floats(0.1, 4.0))
def test_the_best_point_is_no_worse_than_the_anchor_and_stays_on_the_manifold(seed: int, radius: float) -> None:
    rng = np.random.default_rng(seed)
    manifold, anchor, taste = Manifold.of(ITEMS), rng.normal(size=4), rng.normal(size=4)
    best = manifold.best(anchor, lambda points: points @ taste, radius, np.random.default_rng(1))
    assert best @ taste >= anchor @ taste
    assert sd_from(manifold, best, anchor) <= radius + 1e-6
    held = max(manifold.reach, float(np.linalg.norm(manifold.coordinates(anchor[None]))))
    assert np.linalg.norm(manifold.coordinates(best[None])) <= held + 1e-6
    np.testing.assert_allclose(best[3], anchor[3], atol=1e-9)  # the items do not vary along the last axis


def test_a_linear_utility_is_followed_to_where_it_is_best() -> None:
    """Within ``radius`` SD of the middle the best point lies along C w, where C is the items' covariance."""
    manifold, taste = Manifold.of(ITEMS), np.array([1.0, -1.0, 1.0, 0.0])
    best = manifold.best(ITEMS.mean(axis=0), lambda points: points @ taste, 1.0, np.random.default_rng(1))
    covariance = np.cov(ITEMS.T, bias=True)
    most = np.sqrt(taste @ covariance @ taste)
    assert 0.98 * most <= (best - ITEMS.mean(axis=0)) @ taste <= most + 1e-9


def test_no_point_is_taken_that_will_not_do() -> None:
    manifold, anchor = Manifold.of(ITEMS), ITEMS[0]

    def right_of_anchor(points: np.ndarray) -> np.ndarray:
        return np.where(points[:, 0] > anchor[0] + 0.5, -points[:, 0], -np.inf)

    best = manifold.best(anchor, right_of_anchor, 2.0, np.random.default_rng(1))
    assert anchor[0] + 0.5 < best[0] < anchor[0] + 0.7
    nowhere = manifold.best(anchor, lambda points: np.full(len(points), -np.inf), 2.0, np.random.default_rng(1))
    np.testing.assert_array_equal(nowhere, anchor)


def test_items_on_one_point_leave_the_anchor_where_it_is() -> None:
    manifold = Manifold.of(np.ones((5, 3)))
    best = manifold.best(np.zeros(3), lambda points: points.sum(axis=1), 2.0, np.random.default_rng(1))
    np.testing.assert_array_equal(best, np.zeros(3))
