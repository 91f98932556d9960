from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eagle.data.columns.categories import genre_list, keep_frequent, unlike_each_other
from eagle.data.columns.separated import wrong_separator

NAMES = st.lists(
    st.text(alphabet="abcdefgh", min_size=1, max_size=6).filter(lambda name: name not in {"null", "nan"}),
    min_size=2,
    max_size=5,
    unique=True,
)


@given(NAMES)
def test_every_writing_of_a_list_gives_the_same_categories(names: list[str]) -> None:
    records = [{"id": number, "name": name} for number, name in enumerate(names)]
    writings: list[Any] = [
        names,
        np.array(names),
        "|".join(names),
        str(names),
        str(tuple(names)),
        json.dumps(names),
        str(records),
        json.dumps(records),
        records,
        "[" + " ".join(map(repr, names)) + "]",  # NumPy's
        "{" + ",".join(names) + "}",  # Postgres'
        json.dumps(dict.fromkeys(names, 0.5)),
    ]
    for writing in writings:
        assert genre_list(writing, "|") == names, writing


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("", []),
        ("[]", []),
        ("{}", []),
        ("['Sci-Fi']", ["sci-fi"]),
        ("{'id': 35, 'name': 'Comedy'}", ["comedy"]),
        ("Books &amp; Media|<b>Toys</b>", ["books & media", "toys"]),
        ("[broken", ["[broken"]),
        ("(no genres listed)", []),
        ("[None, 'drama']", ["drama"]),
        ("[{'id': 1, 'name': 'Drama'}, {'id': 2, 'name': nan}]", ["drama"]),
        ("['Children's', 'Drama']", ["children's", "drama"]),
        ("[np.str_('War'), u'Noir']", ["war", "noir"]),
    ],
)
def test_odd_cells(cell: str, found: list[str]) -> None:
    assert genre_list(cell, "|") == found


def test_a_wrong_separator_is_recognised() -> None:
    cells = [f"{first}, {second}" for first in ("drama", "crime", "comedy") for second in ("war", "noir", "music")] * 2
    problem = wrong_separator("i.csv", pd.Series(cells, name="genres"), "|")
    assert problem is not None
    assert 'data.files.genre_separator: ","' in problem.mend
    assert "',' in 18 of 18: 9 categories as they are, 6 if cut" in problem.found
    assert wrong_separator("i.csv", pd.Series(cells, name="genres"), ",") is None


@pytest.mark.parametrize(("sign", "written"), [("\n", "\\n"), ("、", "、"), ("，", "，")])
def test_separators_of_forms_and_of_other_scripts_are_recognised(sign: str, written: str) -> None:
    cells = [f"{first}{sign}{second}" for first in ("剧情", "犯罪", "喜剧") for second in ("战争", "音乐", "爱情")] * 2
    problem = wrong_separator("i.csv", pd.Series(cells, name="genres"), "|")
    assert problem is not None
    assert f'data.files.genre_separator: "{written}"' in problem.mend


def test_a_comma_inside_of_names_is_no_separator() -> None:
    assert wrong_separator("i.csv", pd.Series(["Home, Garden", "Food, Drink", "Toys"] * 9, name="kind"), "|") is None


def test_rare_categories_are_left_out_with_a_word() -> None:
    kept, said = keep_frequent([["a", "b"], ["a"], ["c"], ["b", "d"]], 2)
    assert kept == [["a", "b"], ["a"], [], ["b"]]
    assert said == [
        "2 of 4 categories left out as the rarest (data.max_categories: 2), such as 'c', 'd'; 1 item had no other"
    ]
    assert keep_frequent([["a", "b"]], 2) == ([["a", "b"]], [])


def test_as_many_categories_as_items_are_a_sign() -> None:
    assert "hardly two items share one" in str(unlike_each_other([[f"c{n}"] for n in range(30)]))
    assert unlike_each_other([["a"], ["b"]] * 15) is None
    assert unlike_each_other([]) is None


def _combined(sign: str, before: str = "") -> pd.Series:
    firsts, seconds = ("drama", "crime", "comedy", "horror"), ("war", "noir", "music", "love", "sports")
    return pd.Series([f"{before}{one}{sign}{other}" for one in firsts for other in seconds] * 2, name="genres")


@pytest.mark.parametrize(
    ("sign", "before", "named"), [(" - ", "", " - "), (" & ", "", " & "), (" #", "#", "#"), (" • ", "", "•")]
)
def test_signs_that_names_may_hold_are_recognised_where_they_clearly_separate(
    sign: str, before: str, named: str
) -> None:
    problem = wrong_separator("i.csv", _combined(sign, before), "|")
    assert problem is not None
    assert f'data.files.genre_separator: "{named}"' in problem.mend
    assert genre_list(_combined(sign, before)[0], named) == ["drama", "war"]


@pytest.mark.parametrize("sign", [" & ", " - ", " and "])
def test_signs_inside_names_separate_nothing(sign: str) -> None:
    names = ("Action{}Adventure", "Sci-Fi{}Fantasy", "Arts{}Crafts", "Arts{}Letters", "Home{}Garden", "Drama")
    column = pd.Series([name.format(sign) for name in names] * 5, name="genres")
    assert wrong_separator("i.csv", column, "|") is None


def test_a_declared_separator_that_stands_somewhere_by_chance_is_not_the_right_one() -> None:
    column = pd.concat([_combined(", "), pd.Series(["drama|noir"], name="genres")])
    problem = wrong_separator("i.csv", column, "|")
    assert problem is not None
    assert "'|' in 1 of 41 cells and ',' in 40 of 41" in problem.found
    assert wrong_separator("i.csv", pd.concat([column, pd.Series(["war|noir"] * 3)]), "|") is None


def test_entities_are_no_separators() -> None:
    column = pd.Series(["Books &amp; Media", "Toys &amp; Games", "Toys"] * 9, name="kind")
    assert wrong_separator("i.csv", column, "|") is None
    assert genre_list("Books &amp; Media;Toys", ";") == ["books & media", "toys"]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ('c("Drama", "War")', ["drama", "war"]),
        ('c("Drama", NA)', ["drama"]),
        ("character(0)", []),
        ('list("Drama")', ["drama"]),
        ("frozenset({'Drama', 'War'})", ["drama", "war"]),
        ("array(['Drama', 'War'], dtype=object)", ["drama", "war"]),
        ("<python><data-frame>", ["python", "data-frame"]),
        ("<b>Toys</b>", ["toys"]),
        ("\"Drama\"| 'War'", ["drama", "war"]),
    ],
)
def test_lists_of_r_and_calls_of_python_and_tags_in_brackets(cell: str, found: list[str]) -> None:
    assert genre_list(cell, "|") == found
