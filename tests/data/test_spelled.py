from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eagle.data.columns.spelled import cut_short, not_single, prose, spelled

PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=8,
).filter(lambda found: isinstance(found, (list, dict)))


@given(PLAIN)
def test_whatever_json_writes_is_read_back(value: Any) -> None:
    assert _alike(spelled(json.dumps(value)), value)
    assert _alike(spelled(json.dumps(value, ensure_ascii=False)), value)


def _alike(found: Any, value: Any) -> bool:
    """An empty record is an empty list; a number that would not read the same again stays text."""
    if isinstance(value, dict) and value:
        return list(found) == list(value) and all(map(_alike, found.values(), value.values()))
    if isinstance(value, (list, dict)):
        return len(found) == len(value) and all(map(_alike, found, value))
    return bool(found == value) or str(value) == str(found) or json.dumps(value) == found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[{'id': 1, 'name': 'war'}, {'id': 2, 'name': nan}]", [{"id": 1, "name": "war"}, {"id": 2, "name": None}]),
        ("[np.str_('war'), u'noir']", ["war", "noir"]),
        ("[array(['war', 'noir'], dtype=object)]", [["war", "noir"]]),
        ("['war' 'noir'\n 'music']", ["war", "noir", "music"]),
        ("{Sci-Fi,007}", ["Sci-Fi", "007"]),
        ("['Children's', 'Rock 'n' Roll']", ["Children's", "Rock 'n' Roll"]),
        ("(comedy)", None),
        ("[comedy", None),
        ("['comedy', 'war]", None),
        ("['a' b]", None),
        ("{'a': 1, 'b'}", None),
        ("[" * 5000 + "]" * 5000, None),
    ],
)
def test_lists_and_records_of_any_writing(text: str, value: Any) -> None:
    assert spelled(text) == value


def test_parts_of_a_text_follow_each_other_and_brackets_of_a_text_stay() -> None:
    assert prose("['It is late.', None, 'He leaves.']") == "It is late. He leaves."
    assert prose(np.array(["It is late.", "He leaves."], dtype=object)) == "It is late. He leaves."
    for text in ("[Nobody speaks]", '["No," he says] and leaves.', "(1995) A thief.", "{'en': 'A thief.'}"):
        assert prose(text) == text


def test_lists_that_a_program_has_cut_are_named_by_row() -> None:
    cells = pd.Series(["['drama', 'w", "['drama']", None, "['a', 'b", "[war"], name="genres")
    problem = cut_short("i.csv", cells)
    assert problem is not None
    assert "2 rows of 3: row 0: \"['drama', 'w\"; row 3" in problem.found
    assert cut_short("i.csv", cells[[1, 2, 4]]) is None


@pytest.mark.parametrize(
    "cells", [["{'id': 1}", '{"id": 2}'], ["['a', 'b']", "['c']"], [{"id": 1}, {"id": 2}], [np.array([1, 2]), [3]]]
)
def test_a_column_of_lists_is_none_of_single_values(cells: list[Any]) -> None:
    assert "holds lists or records" in str(not_single("r.parquet", pd.Series(cells, name="user")))


@pytest.mark.parametrize("cells", [["[Rec]", "(500) Days"], ["['Til Dawn]", "Heat"], [1, 2], [None, "a"], []])
def test_single_values_may_have_brackets(cells: list[Any]) -> None:
    assert not_single("i.csv", pd.Series(cells, name="title")) is None
