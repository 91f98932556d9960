from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eagle.data.columns.prose import language_of, languages, marked_up, plain


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<p>Soft &amp; warm.<br/>It&#039;s <b>new</b>ish.</p>", "Soft & warm. It's newish."),
        ("&lt;p&gt;escaped&lt;/p&gt;", "escaped"),
        ("&amp;lt;p&amp;gt;twice&amp;lt;/p&amp;gt;", "twice"),
        ("<script>alert(1)</script>told <!-- not --> so", "told so"),
        ('see <a href="http://x.y">the shop</a>', "see the shop"),
        ('<p>Told.</p> <a href="http://x.y?a=1&amp;b=2">More</a>', "Told."),
        ('Told!<br/><a href="x">Read more...</a> <A HREF="y">Buy</A></div>', "Told!"),
        ("&lt;p&gt;Told.&lt;/p&gt; &lt;a href='x'&gt;More&lt;/a&gt;", "Told."),
        ('<p><a href="x">A title</a></p>', "A title"),
        ('Told by <a href="x">Ann</a>', "Told by Ann"),
        ('Told. See <a href="x">more</a>', "Told. See more"),
        ("two\n lines\tand\u00a0blanks\u200b", "two lines and blanks"),
        ("a < b and c > d", "a < b and c > d"),
        ("AT&T and I <3 you", "AT&T and I <3 you"),
        ("R&D; x", "R&D; x"),
    ],
)
def test_tags_entities_and_line_breaks_are_taken_out(text: str, said: str) -> None:
    assert plain(text) == said


def test_a_link_that_is_a_sentence_stays() -> None:
    assert plain('Told. <a href="x">They came back and all was as before.</a>').endswith("all was as before.")


@given(st.text(max_size=200))
def test_a_plain_text_is_one_line_and_stays_as_it_is(text: str) -> None:
    once = plain(text)
    assert not set(once) & set("\n\r\t")
    assert plain(once) == once


@given(st.text(alphabet="abc <>&;p/\"'", max_size=60))
def test_escaping_a_text_changes_nothing_of_what_is_read(text: str) -> None:
    assert plain(html.escape(plain(text))) == plain(text)


@given(st.lists(st.sampled_from(["word", "<p>", "</p>", "<br/>", "&amp;", "&#039;", "\n", "<b>x</b>"]), max_size=20))
def test_no_markup_is_left(parts: list[str]) -> None:
    assert not marked_up(plain(" ".join(parts)).replace("&", ""))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("A thief and a nurse meet in the city, and he is to tell her of it.", "English"),
        ("Ein Dieb und eine Ärztin treffen sich in der Stadt, und er ist nicht allein.", "German"),
        ("Un voleur et une infirmière se retrouvent dans la ville, et il est avec elle.", "French"),
        ("Un ladrón y una enfermera se encuentran en la ciudad, y él no es de los suyos.", "Spanish"),
        ("机器人在未来的城市里寻找失踪的女孩。她却不记得自己是谁！他们一起走。", "another script"),
        ("Вор и медсестра встречаются в городе.", "another script"),
        ("Blue cotton shirt, size M", None),
        ("x", None),
    ],
)
def test_the_language_is_told_where_it_can_be(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_shares_are_of_texts_that_can_be_told() -> None:
    english, german = (
        "The story of a man and the sea is told to us.",
        "Die Geschichte von dem Mann und der See ist alt.",
    )
    assert languages([english, german, english, "?", english]) == {"English": 0.75, "German": 0.25}
    assert languages([]) == {}
