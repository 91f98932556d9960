from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eagle.data.columns.prose import in_another_encoding, misread, plain, says_nothing
from eagle.data.columns.texts import read_texts


def test_texts_come_plain_and_what_was_done_is_counted() -> None:
    column = pd.Series(["<p>A thief &amp; a cat.</p>", "['One.', 'Two.']", "N/A", "Fine.", None], name="text")
    read = read_texts("i.csv", column)
    assert read.texts.tolist() == ["A thief & a cat.", "One. Two.", pd.NA, "Fine.", pd.NA]
    assert read.remarks == (
        "i.csv: the parts of 1 text that are lists put behind each other",
        "tags or entities of HTML taken out of 1 text",
        "i.csv: 1 text without a word count as none: 'N/A'",
    )


def test_lists_of_parquet_are_texts_and_records_are_none() -> None:
    lists = pd.Series([np.array(["One.", "Two."], dtype=object), np.array([], dtype=object)], name="text")
    assert read_texts("i.parquet", lists).texts.tolist() == ["One. Two.", pd.NA]
    records = read_texts("i.parquet", pd.Series([{"en": "One."}, {"en": "Two."}], name="text"))
    assert "column 'text' holds lists or records" in str(records.problem)
    json = read_texts("i.csv", pd.Series(['{"en": "One."}', '{"en": "Two."}'], name="text", dtype="string"))
    assert "column 'text' holds lists or records" in str(json.problem)
    one = read_texts("i.csv", pd.Series(['{"en": "One."}', "Two.", "Three."], name="text", dtype="string"))
    assert one.texts.tolist() == ['{"en": "One."}', "Two.", "Three."]
    assert read_texts("i.csv", pd.Series([None, None], name="text", dtype="string")).texts.isna().all()


@pytest.mark.parametrize(
    "text",
    [
        *("-", "...", "n/a", "NaN", "null", "TBD", "Unknown", "No overview found.", "no description available", "1984"),
        "(null)",
        *("https://example.org/a?b=c", "www.example.org", "Not available."),
    ],
)
def test_what_says_nothing(text: str) -> None:
    assert says_nothing(text)


@pytest.mark.parametrize(
    "text",
    ["Unknown soldiers meet.", "No plot is as thin.", "https://example.org tells of it", "Нет", "無", "N", "Nan's"],
)
def test_what_says_something(text: str) -> None:
    assert not says_nothing(text)


@pytest.mark.parametrize("text", ["Café Señor", "l’été – là", "Straße „so“", "Москва"])
def test_text_that_was_read_in_another_encoding_is_recognised(text: str) -> None:
    spoilt = text.encode().decode("cp1252", "replace")
    assert misread(spoilt) or "\ufffd" in spoilt
    assert not misread(text)


@pytest.mark.parametrize(
    ("text", "written", "read"),
    [
        ("Ирония судьбы", "cp1251", "latin-1"),
        ("Η μεγάλη πόλη", "iso8859-7", "cp1252"),
        ("Сон смешного человека", "utf-8", "cp1251"),
    ],
)
def test_text_of_another_script_that_was_read_in_another_encoding_is_recognised(
    text: str, written: str, read: str
) -> None:
    assert in_another_encoding(text.encode(written).decode(read, "replace"))
    assert not in_another_encoding(text)


@pytest.mark.parametrize(
    "text", ["Été", "Þetta er íslenskur texti á æði löngu", "Đường về nhà à ở đâu", "千と千尋の神隠し"]
)
def test_accents_of_a_language_are_its_own(text: str) -> None:
    assert not in_another_encoding(text)


def test_marks_that_turn_the_direction_and_colours_of_terminals_are_taken_out() -> None:
    assert plain("\u202ethe end\u202c \x1b[31mred\x1b[0m \u200fright") == "the end red right"
