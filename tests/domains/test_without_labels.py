"""What is left of a domain's words for a catalogue without categories."""

from __future__ import annotations

import pytest

from eagle.config import parse_config
from eagle.domains.base import Domain
from eagle.domains.open import domain_of
from eagle.domains.text import Description
from eagle.environment.checks import check_text

NOUNS = {"film": "The plot", "garment": None, "board game": "The description"}


def of(noun: str, genres: str | None = None) -> Domain:
    return domain_of(
        parse_config({"data": {"source": "files", "noun": noun, "files": {"columns": {"genres": genres}}}})
    )


@pytest.mark.parametrize("noun", NOUNS)
def test_no_prompt_speaks_of_labels(noun: str) -> None:
    domain, whole = of(noun), of(noun, "genres")
    label = whole.fields.labels.lower()
    assert domain.fields.labels == ""
    assert NOUNS[noun] in (None, domain.fields.body)
    said = [domain.rewriting.task, domain.describing.task, domain.profiling.task, domain.profiling.all_labels]
    said += [text for example in domain.rewriting.examples for text in example]
    said += [text for example in domain.describing.examples for text in example]
    assert not [text for text in said if label in text.lower()]
    assert domain.generic_actions() == whole.generic_actions()


@pytest.mark.parametrize("noun", NOUNS)
def test_its_examples_pass_its_own_checks(noun: str) -> None:
    domain, whole = of(noun), of(noun, "genres")
    texts = [text for before, _, after in domain.rewriting.examples for text in (before, after)]
    kept = [text for before, _, after in whole.rewriting.examples for text in (before, after)]
    for text, old in zip(texts, kept, strict=True):
        checked = check_text(text, finished=True, vocabulary=frozenset(), fields=domain.fields)
        assert checked.cause is None
        assert Description.read(text).plot == Description.read(old).plot
    for title, _ in domain.describing.examples:
        assert title.endswith(")")


def test_profiles_have_a_section_of_themes_and_histories_of_titles() -> None:
    profiling = of("board game").profiling
    for history, answer in profiling.examples:
        assert tuple(answer) == profiling.sections
        assert "(" not in history
        assert "Disliked: " in history
