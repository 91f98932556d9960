"""The share of a promised gain that real ratings confirm."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eagle.evaluation.confirmed import confirmed
from eagle.stats.bootstrap import TwoWayBootstrap

ANCHORS = [f"i{n // 5}" for n in range(50)]
USERS = [f"u{n % 5}" for n in range(50)]
BOOTSTRAP = TwoWayBootstrap(ANCHORS, USERS, 200, 0.95, 0)


def test_a_gain_of_which_half_is_confirmed() -> None:
    promised = 0.4 + 0.1 * np.random.default_rng(0).normal(size=50)
    found = confirmed(promised, promised / 2, BOOTSTRAP)
    assert (found.mean, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))
    assert found.cases == 50


def test_cases_that_the_shelf_does_not_know_are_left_out_of_both() -> None:
    promised, shelf = np.full(50, 0.4), np.full(50, 0.1)
    promised[:10], shelf[:10] = 9.0, np.nan
    found = confirmed(promised, shelf, BOOTSTRAP)
    assert found.mean == pytest.approx(0.25)
    assert found.cases == 40


def test_no_promise_has_no_share() -> None:
    assert math.isnan(confirmed(np.full(50, -0.1), np.full(50, 0.1), BOOTSTRAP).mean)


def test_a_promise_that_cannot_be_told_from_none_has_no_interval() -> None:
    promised = np.where(np.arange(50) // 5 % 2, 1.0, -0.9)
    found = confirmed(promised, np.full(50, 0.1), BOOTSTRAP)
    assert found.mean == pytest.approx(2.0)
    assert math.isnan(found.low) and math.isnan(found.high)
