"""Edits whose action quotes words that the target has and the source has not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eagle.adapting.changes import NamedChange, telling_words
from eagle.adapting.drafts import neighbour_drafts, spliced_drafts
from eagle.adapting.mining import Edit
from eagle.adapting.quoting import forms_of, new_phrases, phrases_of, quoting_edits
from eagle.adapting.stories import stories_of
from eagle.data.corpus import Corpus
from eagle.domains.text import Description
from eagle.environment.checks import words
from tests.adapting.planted import CHANGES, CORPUS, FILM, AxisEmbedder, theme_of

EMBEDDER = AxisEmbedder()
THERE = stories_of(Corpus(CORPUS, []), EMBEDDER, 32, FILM, 1000)
DRAFTS = [*spliced_drafts(THERE, range(len(THERE)), EMBEDDER), *neighbour_drafts(THERE, range(len(THERE)))]


def quoted(wanted: int = 100, taken: set[str] | None = None) -> list[Edit]:
    return quoting_edits(DRAFTS, THERE, CHANGES, wanted, taken or set())


def test_an_action_that_asks_for_one_phrase_is_a_form_for_others() -> None:
    asked = [
        NamedChange("Make the hero a robot.", None, frozenset({"robot"})),
        NamedChange("Set it in ancient Rome among gladiators.", None, frozenset({"ancient", "rome", "gladiators"})),
        NamedChange("Let a stranger arrive with a terrible secret.", None, frozenset({"stranger", "terrible"})),
        NamedChange("Make it crime, with a bank robbery.", "crime", frozenset({"bank", "robbery"})),
    ]
    assert forms_of(asked) == ["Make the hero {}."]
    assert forms_of(CHANGES) == ["Make it about {}."] * 2  # of the themes without a label


def test_a_phrase_is_an_article_and_what_follows_it_up_to_a_stop_word_or_a_name() -> None:
    plot = "A retired thief and the crazy old lady meet an Irish cop. In the end, a very shy, silent butler dies."
    assert list(phrases_of(plot)) == ["a retired thief", "the crazy old lady", "the end"]


def test_an_action_quotes_what_its_target_tells_and_its_source_does_not() -> None:
    edits = quoted()
    assert len(edits) == len(THERE)
    for edit in edits:
        theme = theme_of(edit.target)
        assert f"the {theme}" in edit.action
        assert theme not in words(Description.read(edit.source).plot)


def test_every_second_action_names_a_label_that_comes_first_in_the_target() -> None:
    named = [edit for edit in quoted() if edit.action.startswith("Make it ") and ", with " in edit.action]
    assert len(named) == len(quoted()) // 2
    for edit in named:
        label = edit.action.removeprefix("Make it ").split(",")[0]
        assert Description.read(edit.target).genres[0] == label
        assert label not in Description.read(edit.source).genres


def test_a_target_comes_once_and_not_where_it_is_taken() -> None:
    edits = quoted()
    assert len({edit.target for edit in edits}) == len(edits)
    taken = {edit.target for edit in edits}
    plots = {Description.read(edit.target).plot for edit in quoted(taken=taken)}
    assert not {edit.target for edit in quoted(taken=taken)} & taken
    assert plots <= {text.plot for text in THERE.texts}
    assert quoted(wanted=3) == edits[:3]


@given(st.text(alphabet="abthe  .,AN", max_size=80), st.text(alphabet="abthe  .,AN", max_size=80))
def test_a_new_phrase_stands_in_the_target_and_shares_no_telling_word_with_the_source(old: str, new: str) -> None:
    source, target = Description((), old, FILM), Description((), new, FILM)
    for phrase in new_phrases(source, target):
        assert phrase in " ".join(new.lower().split())
        assert telling_words(phrase)
        assert not telling_words(phrase) & telling_words(old)
