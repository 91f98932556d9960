"""What every utility has to do."""

from __future__ import annotations

import numpy as np
import pytest

from eagle.config import UtilityConfig
from eagle.core.errors import EagleError
from eagle.latent.base import Utility
from eagle.latent.space import LatentSpace
from eagle.testing.worlds import latent_space


class UtilityContract:
    """Override the fixture ``utility_class``: the class that ``utility.kind`` names."""

    @pytest.fixture
    def utility_class(self) -> type[Utility]:
        raise NotImplementedError("override the fixture utility_class: return your class")

    @pytest.fixture
    def latent(self) -> LatentSpace:
        return latent_space()

    @pytest.fixture
    def utility(self, utility_class: type[Utility], latent: LatentSpace) -> Utility:
        return utility_class.fit(latent, UtilityConfig())

    @pytest.fixture
    def points(self, latent: LatentSpace) -> np.ndarray:
        return np.random.default_rng(1).normal(size=(len(latent.users), latent.dimension))

    def test_there_is_one_value_per_point(self, utility: Utility, points: np.ndarray, latent: LatentSpace) -> None:
        values = utility(points, latent.users)
        assert values.shape == (len(points),), f"U of n points and n users should be (n,), got {values.shape}"
        assert np.isfinite(values).all(), "U should be a finite number for every point"
        none = utility(points[:0], [])
        assert none.shape == (0,), f"U of no points should be (0,), got {none.shape}"

    def test_parts_are_named_and_one_per_point(self, utility: Utility, points: np.ndarray, latent: LatentSpace) -> None:
        parts = utility.parts(points, latent.users)
        assert parts, "parts should name what U is made of, at least one part"
        for name, values in parts.items():
            assert name.isidentifier(), f"part {name!r} becomes a column's name: use letters, digits and underscores"
            assert np.shape(values) == (len(points),), f"part {name} should be (n,), got {np.shape(values)}"
            assert np.isfinite(values).all(), f"part {name} should be finite for every point"

    def test_which_points_are_new_enough_is_said_of_each_alone(self, utility: Utility, points: np.ndarray) -> None:
        together = np.asarray(utility.new_enough(points))
        assert together.shape == (len(points),), f"new_enough of n points should be (n,), got {together.shape}"
        assert together.dtype == bool, f"new_enough should say yes or no, got {together.dtype}"
        alone = [bool(utility.new_enough(points[row : row + 1])[0]) for row in range(len(points))]
        assert together.tolist() == alone, "whether a point is new enough should not depend on the others asked about"

    def test_all_pairs_equal_one_pair_at_a_time(
        self, utility: Utility, points: np.ndarray, latent: LatentSpace
    ) -> None:
        all_pairs = utility.matrix(points, latent.users)
        expected = (len(points), len(latent.users))
        assert all_pairs.shape == expected, f"matrix should be (n, n_users) {expected}, got {all_pairs.shape}"
        for column, user in enumerate(latent.users):
            alone = [utility(points[row : row + 1], [user])[0] for row in range(len(points))]
            np.testing.assert_allclose(
                all_pairs[:, column], alone, atol=1e-6, err_msg="matrix and __call__ value the same point differently"
            )

    def test_zero_is_the_users_mean_item(self, utility: Utility, latent: LatentSpace) -> None:
        means = utility.matrix(latent.item_vectors, latent.users).mean(axis=0)
        np.testing.assert_allclose(
            means, 0, atol=1e-4, err_msg="U should be 0 on average over the catalogue, for every user"
        )

    def test_one_is_the_spread_within_users(self, utility: Utility, latent: LatentSpace) -> None:
        spread = np.sqrt(utility.matrix(latent.item_vectors, latent.users).var(axis=0).mean())
        assert spread == pytest.approx(1, abs=1e-3), (
            f"U should be in SD over the catalogue, pooled over users; that SD is {spread:.3f}, not 1"
        )

    def test_own_tastes_change_nothing(self, utility: Utility, points: np.ndarray, latent: LatentSpace) -> None:
        same = utility.with_tastes(latent.user_vectors)
        np.testing.assert_allclose(
            same(points, latent.users),
            utility(points, latent.users),
            atol=1e-5,
            err_msg="with_tastes of the present vectors should change nothing",
        )

    def test_other_tastes_go_with_their_vectors(
        self, utility: Utility, points: np.ndarray, latent: LatentSpace
    ) -> None:
        turned = utility.with_tastes(latent.user_vectors[::-1].copy())
        np.testing.assert_allclose(
            turned.matrix(points, latent.users),
            utility.matrix(points, latent.users)[:, ::-1],
            atol=1e-4,
            err_msg="a user who is given another's vector should value points as the other did",
        )
        np.testing.assert_array_equal(
            turned.latent.user_vectors, latent.user_vectors[::-1], err_msg="latent should hold the new tastes"
        )
        np.testing.assert_array_equal(
            utility.latent.user_vectors, latent.user_vectors, err_msg="with_tastes should leave the utility as it was"
        )

    def test_preference_only_ranks_as_the_predicted_rating(self, utility: Utility, latent: LatentSpace) -> None:
        values = utility.preference_only().matrix(latent.item_vectors, latent.users)
        rating = latent.item_vectors.astype(float) @ latent.user_vectors.T.astype(float)
        for column, user in enumerate(latent.users):
            correlation = np.corrcoef(values[:, column], rating[:, column])[0, 1]
            assert correlation > 0.999, (
                f"preference_only should be <z_u, z> up to a user's mean and scale; for {user} it correlates "
                f"by {correlation:.3f}"
            )

    def test_an_unknown_user_is_refused(self, utility: Utility, points: np.ndarray) -> None:
        with pytest.raises(EagleError, match="nobody"):
            utility(points[:1], ["nobody"])
