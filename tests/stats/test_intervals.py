"""Intervals over users and clusters: known behaviour, and the two-way bootstrap as their twin."""

from __future__ import annotations

import numpy as np
import pytest

from eagle.core.seeding import stream
from eagle.stats.bootstrap import TwoWayBootstrap
from eagle.stats.intervals import NOTHING, cluster_interval, user_interval


def test_an_interval_over_users_holds_the_mean_and_narrows_with_users() -> None:
    rng = np.random.default_rng(1)
    few, many = (user_interval(rng.normal(size=n), np.random.default_rng(0)) for n in (20, 2000))
    assert few["low"] < few["value"] < few["high"]
    assert many["high"] - many["low"] < 0.2 * (few["high"] - few["low"])


def test_a_mean_as_a_figure_of_clusters_is_the_two_way_mean_of_one_anchor() -> None:
    """Twins, where both resample the users by the same draws."""
    values = np.random.default_rng(2).normal(size=30)
    users = [f"u{n:02d}" for n in range(30)]
    ours = cluster_interval(
        lambda s: s[0] / s[1], np.array([values, np.ones(30)]), stream(7, "bootstrap", "users"), 200, 0.9
    )
    theirs = TwoWayBootstrap([""] * 30, users, 200, 0.9, 7).mean(values)
    assert (ours.mean, ours.low, ours.high, ours.cases) == pytest.approx((theirs.mean, theirs.low, theirs.high, 30))


@pytest.mark.parametrize("sums", [np.ones((2, 1)), np.zeros((2, 9)), np.zeros((2, 0))])
def test_one_cluster_or_no_number_is_no_figure(sums: np.ndarray) -> None:
    assert cluster_interval(lambda s: s[0] / s[1], sums, np.random.default_rng(0), 20, 0.95) is NOTHING
