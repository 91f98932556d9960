"""Intervals: known coverage, known width, twins, degenerate inputs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.core.errors import EagleError
from eagle.stats.bootstrap import TwoWayBootstrap


def crossed(n_anchors: int, n_users: int, resamples: int = 400, seed: int = 0) -> TwoWayBootstrap:
    anchors = [f"a{i}" for i in range(n_anchors) for _ in range(n_users)]
    users = [f"u{j}" for _ in range(n_anchors) for j in range(n_users)]
    return TwoWayBootstrap(anchors, users, resamples, 0.95, seed)


def random_effects(rng: np.random.Generator, n_anchors: int, n_users: int, mean: float) -> np.ndarray:
    values = (
        mean + rng.normal(size=(n_anchors, 1)) + rng.normal(size=(1, n_users)) + rng.normal(size=(n_anchors, n_users))
    )
    return np.asarray(values.ravel())


def test_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(300):
        estimate = crossed(12, 16, resamples=300, seed=trial).mean(random_effects(rng, 12, 16, mean=0.7))
        hits += estimate.low <= 0.7 <= estimate.high
    assert 0.89 <= hits / 300 <= 0.99


def test_treating_cases_as_independent_would_not_cover() -> None:
    """The reason for clustering: the naive interval misses most of the time on the same data."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(300):
        values = random_effects(rng, 12, 16, mean=0.7)
        hits += abs(values.mean() - 0.7) < 1.96 * values.std(ddof=1) / math.sqrt(values.size)
    assert hits / 300 < 0.75


def test_width_matches_the_known_variance() -> None:
    """Only anchors differ: the bootstrap's SD of the mean is the anchors' SD (1/n form) over sqrt(n)."""
    effects = np.random.default_rng(1).normal(size=30)
    estimate = crossed(30, 5, resamples=4000).mean(np.repeat(effects, 5))
    expected = 2 * 1.96 * effects.std() / math.sqrt(30)
    assert estimate.high - estimate.low == pytest.approx(expected, rel=0.08)


def test_a_paired_difference_ignores_what_the_arms_share() -> None:
    rng = np.random.default_rng(2)
    shared = 10 * random_effects(rng, 8, 9, mean=0)
    boot = crossed(8, 9)
    gain = boot.difference(shared + 0.25, shared)
    assert gain.low == pytest.approx(0.25)
    assert gain.high == pytest.approx(0.25)
    assert boot.mean(shared).high - boot.mean(shared).low > 5


def test_equals_the_slow_loop() -> None:
    rng = np.random.default_rng(3)
    boot = crossed(4, 5, resamples=50)
    values = rng.normal(size=20)
    values[[3, 11]] = np.nan
    by_anchor, by_user = boot.draws
    means = []
    for a_counts, u_counts in zip(by_anchor, by_user, strict=True):
        drawn = [
            (a_counts[case // 5] * u_counts[case % 5], value)
            for case, value in enumerate(values)
            if not math.isnan(value)
        ]
        total = sum(weight for weight, _ in drawn)
        if total:
            means.append(sum(weight * value for weight, value in drawn) / total)
    estimate = boot.mean(values)
    assert (estimate.low, estimate.high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))
    assert estimate.cases == 18


def test_same_seed_same_interval_and_another_seed_another() -> None:
    values = np.random.default_rng(4).normal(size=20)
    assert crossed(4, 5, seed=1).mean(values) == crossed(4, 5, seed=1).mean(values)
    assert crossed(4, 5, seed=1).mean(values) != crossed(4, 5, seed=2).mean(values)


def test_nothing_to_average_and_a_single_cluster() -> None:
    boot = crossed(2, 2)
    assert math.isnan(boot.mean([math.nan] * 4).mean)
    alone = boot.mean(np.array([1.0, 2, 3, 4]), where=np.array([True, False, False, False]))
    assert (alone.mean, alone.cases) == (1.0, 1)
    assert math.isnan(alone.low)
    assert alone.as_dict() == {"mean": 1.0, "low": None, "high": None}
    of_first = np.array([True, False, True, False])
    few = [
        TwoWayBootstrap(["a", "a", "b", "b"], ["u", "v"] * 2, 1, 0.95, n).mean(np.arange(4.0), of_first)
        for n in range(9)
    ]
    assert {found.mean for found in few} == {1.0}
    assert [found for found in few if math.isnan(found.low)]  # their only resample draws the second user twice
    with pytest.raises(EagleError, match="one anchor and one user per case"):
        TwoWayBootstrap([], [], 10, 0.95, 0)
    with pytest.raises(ValueError, match="expected 4 values"):
        boot.mean([1.0])


@settings(max_examples=30)
@given(st.integers(2, 6), st.integers(1, 6), st.integers(0, 50), st.floats(-1e6, 1e6))
def test_moves_with_the_values(n_anchors: int, n_users: int, seed: int, shift: float) -> None:
    boot = crossed(n_anchors, n_users, resamples=60, seed=seed)
    values = np.random.default_rng(seed).normal(size=n_anchors * n_users)
    here, there = boot.mean(values), boot.mean(values + shift)
    assert here.low <= here.high
    assert values.min() - 1e-9 <= here.low
    assert here.high <= values.max() + 1e-9
    for name in ("mean", "low", "high"):
        assert getattr(there, name) == pytest.approx(getattr(here, name) + shift, abs=1e-6)


def test_the_standard_error_is_that_of_the_interval() -> None:
    bootstrap = crossed(12, 12)
    values = np.random.default_rng(3).normal(size=144)
    values[:7] = np.nan
    found = bootstrap.mean(values)
    assert bootstrap.standard_error(values) == pytest.approx((found.high - found.low) / (2 * 1.96), rel=0.1)
    assert bootstrap.standard_error(np.ones(144)) == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(bootstrap.standard_error(np.full(144, np.nan)))
