"""Targets of the references: thinned ones are right on average, and small ones stay whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eagle.training.reference import thinned

weights = st.lists(st.floats(0, 1), min_size=1, max_size=12).map(np.array).filter(lambda w: w.sum() > 0.1)


@given(weights, st.integers(1, 12), st.integers(0, 2**31))
def test_a_thinned_target_is_a_distribution_over_a_part_of_the_support(
    weights: np.ndarray, most: int, seed: int
) -> None:
    target = weights / weights.sum()
    found = thinned(target, most, np.random.default_rng(seed))
    assert found.sum() == pytest.approx(1)
    assert not found[target == 0].any()
    if np.count_nonzero(target) <= most:
        assert found is target
    else:
        assert np.count_nonzero(found) <= most
        np.testing.assert_array_less(
            np.abs(found - target), 1 / most + 1e-9
        )  # systematic draws are off by less than one


def test_thinning_is_right_on_average() -> None:
    target = np.array([0.05, 0.4, 0, 0.15, 0.1, 0.3])
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(np.mean([thinned(target, 3, rng) for _ in range(4000)], axis=0), target, atol=0.02)


def test_a_uniform_target_keeps_as_many_actions_as_it_may() -> None:
    whole = np.full(26, 1 / 26)
    np.testing.assert_allclose(np.sort(thinned(whole, 13, np.random.default_rng(1))), [0] * 13 + [1 / 13] * 13)
    assert thinned(whole, 0, np.random.default_rng(1)) is whole
