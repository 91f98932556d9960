from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eagle.data.columns.codes import slips, suspects, without
from eagle.data.columns.scale import constant_users, not_numbers, nothing_to_learn, numbers


def _of(**counts: int) -> pd.Series:
    return pd.Series(np.repeat([float(name[1:].replace("m", "-")) for name in counts], list(counts.values())))


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["3,5", "4"], "decimal comma: write 3.5 for 3,5"),
        (["1,250", "2,000"], "between thousands"),
        (["1'250", "2 000"], "between thousands"),
        (["'4'", "'3'"], "write the number alone"),
        (["3½", "2 1/2"], "write 3.5 for 3½"),
        (["IV", "ii"], "write 4 for IV"),
        (["#DIV/0!"], "a missing rating"),
        (["[4]", "[3]"], "write the number alone"),
        (["good", "4"], "write a number"),
        (["4/5", "4,5 / 5", "3 out of 5"], "4/5: write 4"),
        (["4.0 out of 5 stars", "Rated 3 out of 5"], "4/5: write 4"),
        (["Recommended", "Not Recommended"], "yes or no"),
        (["80%", "60 %"], "percent"),
        (["★★★☆☆", "⭐⭐"], "how many are filled"),
        (["5 stars", "1 star"], "write the number alone"),
        (["👍", "dislike"], "yes or no"),
        (["A+", "C"], "grades"),
        (["NaN", "n/a", "-"], "missing rating"),
        (["I liked it very much."], "the text of a review"),
    ],
)
def test_what_is_no_number_says_what_it_looks_like(cells: list[str], words: str) -> None:
    problem = not_numbers("r.csv", pd.Series(cells, name="rating"))
    assert problem is not None
    assert words in problem.mend
    assert f"row 0: {cells[0]!r}" in problem.found


@pytest.mark.parametrize(
    ("ratings", "code"),
    [
        (_of(_0=620, _1=5, _5=100, _7=150, _8=120, _10=50), 0.0),  # zeros of a 1 to 10 scale
        (_of(_m1=300, _1=50, _2=80, _3=120, _4=200, _5=90), -1.0),
        (_of(_m10=20, _m5=30, _0=60, _5=40, _10=30, _99=200), 99.0),
        (_of(_1=30, _2=40, _3=60, _4=40, _5=30, _77=100), 77.0),  # no usual code, but far and frequent
        (_of(_1=300, _2=400, _3=600, _4=400, _5=300, _99=3), 99.0),  # a usual code far off, however rare
        (_of(_m1=3, _1=30, _2=40, _3=60, _4=40, _5=30), -1.0),  # or below a scale that is above zero
        (_of(_0=61, _1=13, _2=14, _3=41, _4=187, _5=816), 0.0),  # recipes: no stars were given
    ],
)
def test_codes_for_not_rated_are_suspected(ratings: pd.Series, code: float) -> None:
    found = suspects(ratings)
    assert [suspect.value for suspect in found] == [code]
    assert "not rated" in str(found[0])
    assert f"data.not_rated: [{code:g}]" in found[0].mend


@pytest.mark.parametrize(
    "ratings",
    [
        _of(_1=200, _2=50, _3=80, _4=200, _5=470),  # reviews: many ones and fives
        _of(_0=10, _1=20, _2=30, _3=40, _4=30, _5=20),  # a scale from 0
        _of(_1=30, _2=40, _3=60, _4=40, _5=30, _55=1),  # a slip of the pen is no code
        _of(_0=30, _1=70),
        _of(_m1=30, _1=40, _2=20),  # against, for, very much for
        _of(_m1=3, _0=90, _1=60, _2=30, _3=40, _4=20),  # beside zero nothing is missing
        _of(_0=30, _1=20, _2=14, _3=41, _4=187, _5=816),  # a few more of the worst
    ],
)
def test_ordinary_ratings_are_not_suspected(ratings: pd.Series) -> None:
    assert suspects(ratings) == []


@pytest.mark.parametrize(
    ("ratings", "far"),
    [
        (_of(_1=30, _2=40, _3=60, _4=40, _5=30, _55=1), [55]),
        (_of(_1=30, _2=40, _3=60, _4=40, _5=30, _35=1, _45=2), [35, 45, 45]),
        (_of(_m300=1, _1=30, _2=40, _3=60, _4=40, _5=30, _10=2), [-300, 10, 10]),
        (_of(_1=30, _2=40, _3=60, _4=40, _5=30, _7=1), []),
        (_of(_1=30, _2=40, _5=1), []),  # three kinds of ratings tell nothing of a scale
        (_of(_1=300, _2=400, _3=600, _4=400, _5=300, _99=3), []),  # a code, see above
        (_of(_1=30, _2=40, _3=60, _4=40, _5=30, _55=1).astype("uint8"), [55]),
    ],
)
def test_few_ratings_far_from_all_others_are_slips(ratings: pd.Series, far: list[float]) -> None:
    assert slips(ratings).tolist() == far


@given(
    st.lists(st.integers(1, 10), min_size=30, max_size=60),
    st.sampled_from([0.25, 1.0, 2.0, 10.0]),
    st.integers(-50, 50),
)
def test_an_even_scale_is_not_suspected_wherever_it_stands(values: list[int], step: float, start: int) -> None:
    ratings = pd.Series([*range(1, 11), *values, *values], dtype=float) * step + 1000.3 + start
    assert suspects(ratings) == []


def test_codes_that_are_named_are_left_out_and_counted() -> None:
    table = pd.DataFrame({"user": list("aabb"), "item": list("xyxy"), "rating": np.float32([0, 3.3, 0, 5])})
    left, said = without(table, (0.0, 99.0))
    assert left["rating"].tolist() == [np.float32(3.3), 5.0]
    assert said == ["2 ratings left out that mean 'not rated' (data.not_rated: 0, 99)"]
    assert "no rating is 7" in without(table, (7.0,))[1][0]
    assert without(table, ()) == (table, []) or without(table, ())[0] is table


def test_users_with_one_rating_for_everything_are_counted() -> None:
    table = pd.DataFrame({"user": list("aabbc"), "rating": [3, 3, 1, 2, 5]})
    assert constant_users(table) == (2, 1)
    assert nothing_to_learn(table) is None


@pytest.mark.parametrize(
    ("ratings", "words"), [([1, 1, 1, 1], "all ratings are the same"), ([1, 1, 5, 5], "no user's ratings differ")]
)
def test_ratings_that_tell_nothing_are_a_problem(ratings: list[int], words: str) -> None:
    problem = nothing_to_learn(pd.DataFrame({"user": list("aabb"), "rating": ratings}))
    assert problem is not None
    assert words in problem.what


@pytest.mark.parametrize(
    ("cells", "meant"),
    [
        (["٤", "٣.٥"], [4, 3.5]),
        (["４", "-1"], [4, -1]),
        (["4\u00a0", " 3.5"], [4, 3.5]),
        (["\N{MINUS SIGN}2", "1e1"], [-2, 10]),
        (["True", "false"], [1, 0]),
        (["t", "f"], [1, 0]),
        ([True, False], [1, 0]),
    ],
)
def test_numbers_of_any_script_are_read(cells: list[object], meant: list[float]) -> None:
    assert numbers(pd.Series(cells)).tolist() == meant


@pytest.mark.parametrize("cell", ["inf", "1e999", "1_0", "0x5", "²", "True", "4 5"])
def test_what_is_no_number_stays_none(cell: str) -> None:
    column = pd.Series(["3", cell], name="rating")
    assert numbers(column).isna().tolist() == [False, True]
    assert f"row 1: {cell!r}" in str(not_numbers("r.csv", column))


def test_a_review_in_place_of_a_rating_is_shown_in_short() -> None:
    problem = not_numbers("r.csv", pd.Series(["It was good to read to the end, and more. " * 99], name="rating"))
    assert problem is not None
    assert len(problem.found) < 100
