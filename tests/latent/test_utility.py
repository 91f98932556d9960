"""U(z; D) in closed form, its symmetries, and its fast path against its slow one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.config import NoveltyConfig, UtilityConfig
from eagle.core.errors import EagleError
from eagle.latent.space import LatentSpace
from eagle.latent.utilities import finite
from eagle.latent.utility import PaperDistance, PaperUtility, RelativeDistance


def space(items: np.ndarray, users: np.ndarray) -> LatentSpace:
    names = [f"i{n}" for n in range(len(items))]
    return LatentSpace(
        names,
        items.astype(np.float32),
        [f"u{n}" for n in range(len(users))],
        users.astype(np.float32),
        dict.fromkeys(names),
        np.ones(len(items), bool),
        np.ones(len(users), bool),
    )


def drawn(seed: int = 0, n: int = 40, d: int = 3, users: int = 6) -> LatentSpace:
    rng = np.random.default_rng(seed)
    return space(rng.normal(size=(n, d)) + 1, rng.normal(size=(users, d)))


SUM = NoveltyConfig(kind="sum")
KINDS = pytest.mark.parametrize("kind", ["paper", "novelty"])


def test_the_papers_formula_by_hand() -> None:
    """Items at 0, 1, 3 and 10 on a line; the point 2 has neighbours at 1, 1 and 2.

    U = 5 * 2 + 0.5 * 4 before centring.
    """
    latent = space(np.array([[0.0], [1.0], [3.0], [10.0]]), np.array([[5.0]]))
    utility = PaperUtility.fit(
        latent, UtilityConfig(novelty=SUM, distance="paper", distance_weight=0.5, standardize=False)
    )
    parts = utility.parts(np.array([[2.0]]), ["u0"])
    assert parts["preference"][0] == pytest.approx(10)
    assert parts["distance"][0] == pytest.approx(4)
    raw = 5 * np.array([0, 1, 3, 10]) + 0.5 * np.array([0 + 1 + 3, 0 + 1 + 2, 0 + 2 + 3, 0 + 7 + 9])
    assert utility(np.array([[2.0]]), ["u0"])[0] == pytest.approx((12 - raw.mean()) / raw.std())


def test_relative_distance_by_hand() -> None:
    """Points 0, 2, 4 with one neighbour: spacing 2 everywhere, so the point 1 is half as lonely as usual and 12 four
    times.
    """
    distance = RelativeDistance(np.array([[0.0], [2.0], [2.0], [4.0]]), neighbours=1)
    np.testing.assert_allclose(distance(np.array([[1.0], [2.0], [12.0]])), [0.5, 0.0, 4.0])


@KINDS
def test_zero_is_the_users_mean_and_one_the_pooled_spread(kind: str) -> None:
    latent = drawn()
    all_pairs = PaperUtility.fit(latent, UtilityConfig(novelty=SUM, distance=kind, distance_weight=0.7)).matrix(
        latent.item_vectors, latent.users
    )
    np.testing.assert_allclose(all_pairs.mean(axis=0), 0, atol=1e-6)
    assert np.sqrt(all_pairs.var(axis=0).mean()) == pytest.approx(1, abs=1e-6)


@KINDS
def test_each_standardised_part_has_spread_one_over_the_catalogue(kind: str) -> None:
    latent = drawn()
    utility = PaperUtility.fit(latent, UtilityConfig(novelty=SUM, distance=kind))
    preference = np.array([utility.parts(latent.item_vectors, [user] * 40)["preference"] for user in latent.users])
    assert np.sqrt(preference.var(axis=1).mean()) == pytest.approx(1, abs=1e-6)
    assert utility.parts(latent.item_vectors, ["u0"] * 40)["distance"].std() == pytest.approx(1)


@KINDS
def test_all_pairs_at_once_equal_one_pair_at_a_time(kind: str) -> None:
    latent, z = drawn(), np.random.default_rng(1).normal(size=(5, 3))
    utility = PaperUtility.fit(
        latent, UtilityConfig(novelty=SUM, distance=kind, distance_weight=0.3, preference_weight=2.0)
    )
    fast = utility.matrix(z, latent.users)
    for row in range(5):
        for column, user in enumerate(latent.users):
            parts = utility.parts(z[row : row + 1], [user])
            raw = 2.0 * parts["preference"] + 0.3 * parts["distance"]
            slow = (raw[0] - utility.centre[column]) / utility.unit
            assert fast[row, column] == pytest.approx(slow)
            assert utility(z[row : row + 1], [user])[0] == pytest.approx(slow)


@KINDS
@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_the_catalogue_does_not_matter(kind: str, seed: int) -> None:
    latent, z = drawn(seed), np.random.default_rng(seed + 1).normal(size=(4, 3))
    moved = replace(latent, item_vectors=latent.item_vectors[np.random.default_rng(seed).permutation(40)])
    config = UtilityConfig(novelty=SUM, distance=kind)
    before = PaperUtility.fit(latent, config).matrix(z, latent.users)
    np.testing.assert_allclose(PaperUtility.fit(moved, config).matrix(z, latent.users), before, atol=1e-6)


@KINDS
def test_moving_the_catalogue_and_the_point_together_changes_nothing(kind: str) -> None:
    latent, z = drawn(), np.random.default_rng(1).normal(size=(4, 3))
    moved = replace(latent, item_vectors=(latent.item_vectors + 5).astype(np.float32))
    config = UtilityConfig(novelty=SUM, distance=kind, distance_weight=0.5)
    before = PaperUtility.fit(latent, config).matrix(z, latent.users)
    np.testing.assert_allclose(PaperUtility.fit(moved, config).matrix(z + 5, latent.users), before, atol=1e-4)


@KINDS
@pytest.mark.parametrize("scale", [1e-3, 40.0])
def test_the_scale_of_the_factors_does_not_matter_once_standardised(kind: str, scale: float) -> None:
    latent, z = drawn(), np.random.default_rng(1).normal(size=(4, 3))
    scaled = replace(
        latent,
        item_vectors=latent.item_vectors * np.float32(scale),
        user_vectors=latent.user_vectors / np.float32(scale),
    )
    config = UtilityConfig(novelty=SUM, distance=kind, distance_weight=0.5)
    before = PaperUtility.fit(latent, config).matrix(z, latent.users)
    np.testing.assert_allclose(PaperUtility.fit(scaled, config).matrix(z * scale, latent.users), before, atol=1e-4)


@KINDS
@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_catalogue_smaller_than_the_neighbourhood_is_finite(kind: str, n: int) -> None:
    latent = drawn(n=n)
    assert np.isfinite(
        PaperUtility.fit(latent, UtilityConfig(novelty=SUM, distance=kind)).matrix(np.ones((2, 3)), latent.users)
    ).all()


@KINDS
def test_other_tastes_on_the_same_scales(kind: Any) -> None:
    """U is affine in the user's vector: the mean of two tastes finds a point worth the mean of what the two find it."""
    latent = drawn()
    own = PaperUtility.fit(latent, UtilityConfig(novelty=SUM, distance=kind))
    before = own.matrix(latent.item_vectors, latent.users)
    np.testing.assert_allclose(own.with_tastes(latent.user_vectors).matrix(latent.item_vectors, latent.users), before)
    between = own.with_tastes((latent.user_vectors + latent.user_vectors[::-1]) / 2)
    np.testing.assert_allclose(
        between.matrix(latent.item_vectors, latent.users), (before + before[:, ::-1]) / 2, atol=1e-5
    )


def test_relative_distance_does_not_grow_with_the_norm_where_the_papers_distance_does() -> None:
    rng = np.random.default_rng(0)
    catalogue = rng.normal(size=(600, 3))
    norm = np.linalg.norm(catalogue, axis=1)
    left_out = {}
    for name, kind in (("paper", PaperDistance), ("relative", RelativeDistance)):
        distances = [
            kind(np.delete(catalogue, row, axis=0), 3)(catalogue[row : row + 1])[0] for row in range(0, 600, 6)
        ]
        left_out[name] = np.corrcoef(distances, norm[::6])[0, 1]
    assert left_out["paper"] > 0.6
    assert abs(left_out["relative"]) < left_out["paper"] - 0.3


@pytest.mark.parametrize("settings", [{"novelty": SUM, "distance_weight": 0}, {}])
def test_a_utility_that_weighs_nothing_is_one_clear_error(settings: dict[str, Any]) -> None:
    """Where novelty is a constraint, the distance has no weight, whatever ``distance_weight`` says."""
    with pytest.raises(EagleError, match="weighs nothing"):
        PaperUtility.fit(drawn(), UtilityConfig(preference_weight=0, **settings))


def test_as_a_constraint_novelty_decides_who_may_win_and_not_who_wins() -> None:
    """Items at 0, 2 and 4 with one neighbour: the point 1 is half as lonely as usual, 2 is an item, 12 far from all."""
    latent, points = space(np.array([[0.0], [2.0], [4.0]]), np.array([[5.0]])), np.array([[1.0], [2.0], [12.0]])
    bound = PaperUtility.fit(latent, UtilityConfig(neighbours=1, novelty=NoveltyConfig(least=0.5)))
    assert bound.new_enough(points).tolist() == [True, False, True]
    np.testing.assert_allclose(bound.matrix(points, ["u0"]), bound.preference_only().matrix(points, ["u0"]))
    free = PaperUtility.fit(latent, UtilityConfig(neighbours=1, novelty=SUM))
    assert free.new_enough(points).all()


def test_an_unknown_user_is_named() -> None:
    with pytest.raises(EagleError, match="nobody"):
        PaperUtility.fit(drawn(), UtilityConfig()).matrix(np.ones((1, 3)), ["nobody"])


def test_a_utility_that_is_no_finite_number_is_an_error() -> None:
    assert finite(np.array([1, -2])).tolist() == [1.0, -2.0]
    with pytest.raises(EagleError, match="2 of 3 values are NaN or infinite"):
        finite(np.array([np.nan, 0.0, np.inf]))
