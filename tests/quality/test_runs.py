"""Common runs of words: known answers, and the batch against one word at a time."""

from __future__ import annotations

from difflib import SequenceMatcher

from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.environment.checks import tokens
from eagle.quality.runs import MOST, CommonRuns

TEXTS = ["A thief finds a ghost in the old house.", "A robot finds a ghost in space.", "Nobody knows."]
said = st.lists(st.sampled_from("abcd"), max_size=8).map(" ".join)


def longest_one_by_one(text: str, others: list[str]) -> int:
    """The same by the standard library's matcher."""
    one = tokens(text)
    found = (SequenceMatcher(None, one, tokens(other), autojunk=False).find_longest_match() for other in others)
    return max((match.size for match in found), default=0)


def test_the_longest_run_is_counted_in_words() -> None:
    runs = CommonRuns(TEXTS)
    assert runs.longest(["Here she finds a ghost in the garden", "house old", "", "42"]).tolist() == [5, 1, 0, 0]
    assert runs.longest([*TEXTS, "nobody. KNOWS!"]).tolist() == [9, 7, 2, 2]


def test_a_text_is_not_compared_with_the_one_it_may_keep() -> None:
    runs = CommonRuns(TEXTS)
    assert runs.longest(TEXTS, TEXTS).tolist() == [4, 4, 0]
    assert runs.longest(TEXTS, ["", "unknown to all", TEXTS[2]]).tolist() == [9, 7, 0]


def test_a_run_does_not_go_on_in_the_next_text() -> None:
    assert CommonRuns(["one two", "three four"]).longest(["two three", "one two three"]).tolist() == [1, 2]


def test_no_text_and_no_other_text() -> None:
    assert CommonRuns([]).longest(["a b"]).tolist() == [0]
    assert CommonRuns(TEXTS).longest([]).tolist() == []
    assert CommonRuns(["", "!"]).longest(["", "?"]).tolist() == [0, 0]


def test_a_long_copy_counts_as_the_most() -> None:
    text = " ".join(f"word{n}" for n in range(MOST + 5))
    assert CommonRuns([text]).longest([text]).tolist() == [MOST]
    assert not CommonRuns([text]).has([text], MOST + 1).any()


@settings(max_examples=60, deadline=None)
@given(st.lists(said, max_size=5), st.lists(said, max_size=4))
def test_a_batch_is_as_one_by_one(texts: list[str], others: list[str]) -> None:
    runs = CommonRuns(others)
    assert runs.longest(texts).tolist() == [longest_one_by_one(text, others) for text in texts]
    rest = [[other for other in dict.fromkeys(others) if other != text] for text in texts]
    assert runs.longest(texts, texts).tolist() == list(map(longest_one_by_one, texts, rest))
