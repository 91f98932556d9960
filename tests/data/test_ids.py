from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eagle.data.columns.ids import as_ids, id_problems
from eagle.data.columns.joining import cause, twins


def test_ids_written_as_floats_lose_their_ending_only_where_all_have_it() -> None:
    assert as_ids(pd.Series(["143.0", "7.0", None])).tolist() == ["143", "7", pd.NA]
    assert as_ids(pd.Series(["143.0", "7"])).tolist() == ["143.0", "7"]
    assert as_ids(pd.Series(["1.0", "1.00"])).tolist() == ["1.0", "1.00"]
    assert as_ids(pd.Series(["007", "7"])).tolist() == ["007", "7"]


def test_ids_that_java_wrote_as_floats_are_whole_numbers_where_all_have_their_digits() -> None:
    """From ten million on, Java and Spark write an exponent, and before it .0; 1.5E0 is no whole number."""
    assert as_ids(pd.Series(["1.0001001E7", "9999999.0", "9.78E12"])).tolist() == [
        "10001001",
        "9999999",
        "9780000000000",
    ]
    assert id_problems("r.csv", pd.Series(["1.0001001E7", "9999999.0"], name="user")) == []
    for cells in (["1.0001001E7", "12"], ["1.0001001E7", "1.5E0"], ["1.0001001E7", "9.007199254740993E15"]):
        assert as_ids(pd.Series(cells)).tolist() == cells
        (problem,) = id_problems("r.csv", pd.Series(cells, name="user"))
        assert "scientific notation" in problem.found


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, unique=True))
def test_whole_numbers_join_however_a_program_wrote_them(numbers: list[int]) -> None:
    plain = [str(number) for number in numbers]
    for writing in (numbers, [float(number) for number in numbers], plain, [f"{number}.0" for number in numbers]):
        assert as_ids(pd.Series(writing)).tolist() == plain


@given(st.lists(st.text(alphabet="0127.ab", min_size=1, max_size=5), min_size=1, unique=True))
def test_different_ids_stay_different(ids: list[str]) -> None:
    assert as_ids(pd.Series(ids, dtype="string")).nunique() == len(ids)


@pytest.mark.parametrize(
    ("missing", "other", "words"),
    [
        ({"143.0", "7.0"}, {"143", "7"}, "a trailing .0 (2 of 2"),
        ({"7", "12"}, {"0007", "0012"}, "leading zeros"),
        ({"ab-1", "cd-2"}, {"AB-1", "CD-2"}, "upper and lower case"),
        ({"'a'", "'b'"}, {"a", "b"}, "quotation marks"),
        ({"978-3-16", "978-3-17"}, {"978316", "978317"}, "hyphens"),
        ({"e\u0301 1", "e\u0301 2"}, {"\u00e9 1", "\u00e9 2"}, "the form of their letters in Unicode"),
        ({"1\u200b", "2\u200b"}, {"1", "2"}, "signs that cannot be seen"),
        ({"tt0114709", "tt0000012"}, {"114709", "12"}, "a word or sign around the number"),
    ],
)
def test_ids_that_do_not_join_say_what_they_differ_by(missing: set[str], other: set[str], words: str) -> None:
    assert words in str(cause(missing, other))


def test_ids_that_have_a_partner_explain_those_that_have_none_by_writings_that_nobody_means() -> None:
    """Parts of one file may write 143 and 143.0; that tt7 is none of 7, which has its partner, is likelier."""
    assert "a trailing .0 (2 of 2" in str(cause({"143.0", "7.0"}, set(), {"143", "7"}))
    assert cause({"tt7", "tt8"}, set(), {"7", "8"}) is None


def test_no_cause_is_made_up() -> None:
    assert cause({"a", "b", "c"}, {"x", "y"}) is None
    assert cause({"1.0", "b", "c"}, {"1", "y"}) is None  # joins one of three
    assert cause(set(), {"1"}) is None


@pytest.mark.parametrize("word", ["nan", "NaN", "None", "NULL", "null", "<NA>", "n/a", "NA", "(null)", "[NULL]"])
def test_words_for_a_missing_id_are_refused_and_counted(word: str) -> None:
    (problem,) = id_problems("r.csv", pd.Series(["a", word, word, "b"], name="user"))
    assert "words for a missing id" in problem.what
    assert f"{word!r} in 2 rows; the first in row 1" in problem.found


def test_ids_that_hold_such_a_word_are_ids() -> None:
    assert id_problems("r.csv", pd.Series(["nanny", "Annull", "na", "Non"], name="user")) == []


def test_empty_ids_are_named_by_the_files_own_line() -> None:
    column = pd.Series(["a", "", None], name="user", index=pd.Index([2, 3, 9], name="line"))
    (problem,) = id_problems("r.csv", column)
    assert "2 rows: line 3, line 9" in problem.found


def test_digits_that_are_lost_are_refused() -> None:
    large = pd.Series([1e17, 1e17 + 16, 5.0, None], name="user")
    problems = {problem.what: problem for problem in id_problems("r.parquet", large)}
    lost = problems["r.parquet: ids in column 'user' have lost their last digits"]
    assert "2^53" in lost.found
    (shortened,) = id_problems("r.csv", pd.Series(["1.23457E+17", "1e+05", "7"], name="user"))
    assert "scientific notation" in shortened.found
    (with_comma,) = id_problems("r.csv", pd.Series(["9,78E+12", "9,79E+12"], name="user"))
    assert "scientific notation" in with_comma.found
    (rounded,) = id_problems("r.csv", pd.Series([f"12345678901234{n}000" for n in range(6)], name="user"))
    assert "as a spreadsheet leaves them" in rounded.found
    assert id_problems("r.csv", pd.Series([f"1234567890123450{n}" for n in range(6)], name="user")) == []
    assert id_problems("r.csv", pd.Series(["12e45", "5E10"], name="user")) == []  # as short hashes are
    assert id_problems("r.csv", pd.Series([2.0**53 - 1], name="user")) == []
    assert id_problems("r.csv", pd.Series([2**60], name="user")) == []


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("u1", "u1\u200b", "signs that cannot be seen"),
        ("a b", "a\u00a0b", "signs that cannot be seen"),
        ("e\u0301", "\u00e9", "form of their letters in Unicode"),
        ("１2", "12", "form of their letters in Unicode"),
        ("12", "12.0", "a trailing .0"),
        ("007", "7", "leading zeros"),
        ("Ann", "ann", "upper and lower case"),
    ],
)
def test_ids_that_hardly_differ_are_said_and_stay_different(one: str, other: str, words: str) -> None:
    column = pd.Series([one, other, one, "x"], name="user")
    (said,) = twins("r.csv", column)
    assert words in said
    assert "2 ids of 3 in column 'user'" in said
    assert as_ids(column).nunique() == 3


def test_ids_that_become_one_without_the_blanks_around_them_are_said() -> None:
    column = pd.Series(["u1", "u1 ", "u2 ", "u3"], name="user")
    (said,) = twins("r.csv", column)
    assert "2 ids of 4 in column 'user' differ from others only by blanks around them" in said
    assert "'u1', 'u1 ': they count as one" in said
    assert as_ids(column).nunique() == 3


def test_ids_of_which_each_is_of_its_own_are_not_said() -> None:
    assert twins("r.csv", pd.Series(["u1", "u2", "1u", "u-1", "u 1"])) == ()
    assert twins("r.parquet", pd.Series([1, 2, 10])) == ()


def test_records_are_no_ids() -> None:
    (problem,) = id_problems("r.parquet", pd.Series([{"id": 1}, {"id": 2}], name="user"))
    assert "holds lists or records" in problem.what
