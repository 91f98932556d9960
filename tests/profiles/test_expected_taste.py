"""What a profile tells of a taste: the regression that the values of a training rest on, on profiles whose meaning is
known.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eagle.profiles.expected_taste import expected_tastes, genre_ranks
from eagle.training.setup import load_training_data, user_utility
from tests.training.project_files import build_project, config

GENRES = ("comedy", "drama", "horror", "war")


def profiles_of(orders: list[np.ndarray]) -> pd.DataFrame:
    named = [[GENRES[i] for i in order] for order in orders]
    return pd.DataFrame({"liked": [n[:2] for n in named], "disliked": [n[:1:-1] for n in named]})


def test_ranks_tell_how_early_a_genre_is_named() -> None:
    ranks = genre_ranks(profiles_of([np.array([1, 0, 2, 3])]))
    assert ranks.tolist() == [[0.5, 1.0, 0.0, 0.0, 0.0, 0.0, 0.5, 1.0]]


def test_a_taste_that_the_profile_determines_is_found_for_users_not_fitted_on() -> None:
    rng = np.random.default_rng(0)
    profiles = profiles_of([rng.permutation(4) for _ in range(300)])
    true = genre_ranks(profiles) @ rng.normal(size=(8, 3)) + rng.normal(size=3)
    fitted = np.arange(300) < 250
    found = expected_tastes(profiles, true + 0.3 * rng.normal(size=true.shape), fitted)
    assert np.abs(found - true)[~fitted].mean() < 0.1


def test_users_of_one_profile_are_given_their_mean() -> None:
    profiles = profiles_of([np.array([0, 1, 2, 3])] * 40 + [np.array([3, 2, 1, 0])] * 40)
    tastes = np.concatenate([np.tile([[1.0, 2.0], [1.0, -2.0]], (20, 1)), np.tile([[-1.0, 0.0]], (40, 1))])
    found = expected_tastes(profiles, tastes, np.ones(80, bool))
    np.testing.assert_allclose(found, np.repeat([[1.0, 0.0], [-1.0, 0.0]], 40, axis=0), atol=0.05)


def test_profiles_without_genres_tell_the_mean_taste() -> None:
    profiles = pd.DataFrame({"liked": [[], [], []], "disliked": [[], [], []]})
    found = expected_tastes(profiles, np.array([[1.0], [3.0], [9.0]]), np.array([True, True, False]))
    assert found.tolist() == [[2.0], [2.0], [2.0]]


def test_training_values_an_action_by_what_its_prompt_tells(tmp_path: Path) -> None:
    """The planted users of one profile have one vector: their own values and the told ones agree but for the ridge."""
    material = load_training_data(config().utility, build_project(tmp_path))
    told = material.utility_by_profile()
    z = material.latent.item_vectors
    own, expected = (user_utility(utility, z, "u6") for utility in (material.utility, told))
    assert np.corrcoef(own[:5], expected[:5])[0, 1] > 0.9
    assert expected.mean() == pytest.approx(0, abs=1e-5)
    assert told.unit == material.utility.unit


def test_a_source_plans_and_values_by_the_taste_of_the_utility_that_it_is_given(tmp_path: Path) -> None:
    """And neither the latent space nor the utility of the material is another one afterwards."""
    material = load_training_data(config().utility, build_project(tmp_path))
    told, z = material.utility_by_profile(), material.latent.item_vectors
    for utility in (material.utility, told):
        values = material.source("train", utility, single_cell_weight=0.1, horizon=1, lookahead=1, used="open").values
        np.testing.assert_array_equal(values.user_vector("u6"), utility.latent.user_vector("u6"))
        np.testing.assert_array_equal(values.utility(z, "u6"), user_utility(utility, z, "u6"))
    assert not np.array_equal(told.latent.user_vectors, material.latent.user_vectors)
    assert material.utility.latent is material.latent
