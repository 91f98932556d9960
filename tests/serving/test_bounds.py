"""What a request may ask: everything within the bounds passes, everything else is one answer that names all of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eagle.core.errors import EagleError
from eagle.serving.bounds import BUDGET, HORIZON, LONGEST_ID, ROWS, TEXTS, RequestParameters, asked_for

PAIR = [("u", "i")]


@given(st.integers(0, 2**63 - 1), st.integers(0, HORIZON), st.integers(0, BUDGET))
def test_what_is_within_the_bounds_is_asked(seed: int, horizon: int, budget: int) -> None:
    for params in ({"seed": seed, "horizon": horizon}, {"seed": seed, "budget": budget}):
        assert asked_for(PAIR, params, 3) == RequestParameters(**params)


def test_a_search_that_would_not_heed_the_horizon_is_refused() -> None:
    with pytest.raises(EagleError, match=r"(?s)a search takes no horizon.*found: budget 8 and horizon 2"):
        asked_for(PAIR, {"budget": 8, "horizon": 2}, 3)


def test_what_is_not_said_is_the_agents_own() -> None:
    assert asked_for(PAIR, None, 3) == asked_for(PAIR, {"seed": None}, 3) == RequestParameters(0, 0, 0)


def test_all_that_is_too_much_is_told_at_once_and_long_ids_are_not_repeated() -> None:
    pairs = [("u" * 10_000_000, "i")] + PAIR * ROWS
    with pytest.raises(EagleError) as error:
        asked_for(pairs, {"seed": -1, "horizon": HORIZON + 1, "budget": BUDGET + 1}, 3)
    names = [problem.what.split(" is ")[0] for problem in error.value.problems]
    bounds = ["the number of rows", "horizon", "budget", "seed"]
    assert names == [*bounds, "a search takes no horizon", "ids are too long"]
    assert len(str(error.value)) < 2_000


def test_a_number_longer_than_anybody_reads_is_not_repeated() -> None:
    with pytest.raises(EagleError, match="seed is out of bounds") as error:
        asked_for(PAIR, {"seed": 10**4000}, 3)
    assert len(str(error.value)) < 300


def test_many_rows_with_many_texts_each_are_too_many_texts() -> None:
    rows = TEXTS // BUDGET
    assert asked_for(PAIR * rows, {"budget": BUDGET}, 3).budget == BUDGET
    with pytest.raises(EagleError, match="too many texts"):
        asked_for(PAIR * (rows + 1), {"budget": BUDGET}, 3)


def test_an_id_as_long_as_allowed_passes() -> None:
    assert asked_for([("u" * LONGEST_ID, "i")], {}, 3) == RequestParameters()
