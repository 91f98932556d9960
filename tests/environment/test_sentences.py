from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eagle.environment.sentences import BYTES, first_sentences, sentences_in, words_in

CHINESE = "机器人在未来的城市里寻找失踪的女孩。她却不记得自己是谁！"


def test_sentences_of_a_script_without_blanks_are_kept_whole() -> None:
    assert first_sentences(CHINESE * 80, 32) == CHINESE
    assert first_sentences(CHINESE, 20) == "机器人在未来的城市里寻找失踪的女孩。"
    assert first_sentences("他说：「走吧。」她笑了。", 9) == "他说：「走吧。」"


def test_a_sentence_that_is_too_long_is_cut_and_closed() -> None:
    assert first_sentences("城" * 2000, 32) == "城" * 32 + "。"
    assert first_sentences("one, two, three four", 2) == "one, two."
    assert len(first_sentences("x" * 5000, 32).encode()) == BYTES * 32 + 1
    assert words_in(first_sentences("กาลครั้งหนึ่ง" * 100, 32)) <= 32 + 1


def test_a_sentence_keeps_the_marks_that_close_it() -> None:
    assert first_sentences('He said "go." She went! Why? So.', 5) == 'He said "go." She went!'
    assert sentences_in("(She said “go.”) He went.") == ["(She said “go.”)", "He went."]
    assert sentences_in("One. Two") == ["One.", "Two"]
    assert first_sentences("He said “go.” She went – out.", 9) == "He said “go.” She went – out."
    assert first_sentences("她笑了。 他走。", 9) == "她笑了。 他走。"


@given(st.text(max_size=300), st.integers(1, 20))
def test_words_and_bytes_are_bounded_in_any_script(text: str, limit: int) -> None:
    short = first_sentences(text, limit)
    assert words_in(short) <= limit + 1  # the full stop of a cut may stand alone
    assert len(short.encode()) <= BYTES * limit + 3
    assert bool(short) == bool(text.split())


@given(st.lists(st.text(alphabet="abcde", min_size=1, max_size=7), min_size=1, max_size=60), st.integers(1, 30))
def test_a_long_sentence_of_short_words_is_cut_after_the_last_that_fits(words: list[str], limit: int) -> None:
    said = first_sentences(" ".join(words), limit)
    assert said == " ".join(words) if len(words) <= limit else said == " ".join(words[:limit]) + "."
