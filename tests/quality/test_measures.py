"""Measures of texts, each with an answer that can be counted by hand."""

from __future__ import annotations

import pytest

from eagle.config import DomainConfig
from eagle.domains.open import default_domain, open_domain
from eagle.environment.checks import tokens
from eagle.quality.measures import (
    body,
    example_bodies,
    length,
    names_in,
    repeated_openings,
    repeated_triples,
    said_names,
    unended,
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Genres: drama, war. Plot: A nurse waits.", "A nurse waits."),
        ("Categories: coats. Description: A long coat.", "A long coat."),
        ("Genres: drama.", ""),
        ("She waits", "She waits"),
        ("", ""),
    ],
)
def test_the_body_of_a_line_of_any_domain(text: str, said: str) -> None:
    assert body(text) == said


def test_triples_that_come_again() -> None:
    assert repeated_triples("a b c a b c") == 1
    assert repeated_triples("a a a a a") == 2
    assert repeated_triples("one two three four") == 0
    assert repeated_triples("one two") == repeated_triples("") == 0


def test_clauses_that_begin_alike() -> None:
    assert repeated_openings("A cat, a dog.") == 1 / 4
    assert repeated_openings("He must run. They wait. He must hide. He sleeps.") == (2 + 1) / 10
    assert repeated_openings("A cat sat on a mat.") == 0
    assert repeated_openings("") == repeated_openings("...") == 0


def test_a_text_ends_with_a_sentence() -> None:
    ended = ["It ends.", "Does it?", 'He said "no."', "It ended (in 1976).", "结束了。", "Ende!”"]
    trailing = ["It goes", "a cop, a cop...", "a cop…", "", "with a comma,"]
    assert [unended(text) for text in ended] == [0] * len(ended)
    assert [unended(text) for text in trailing] == [1] * len(trailing)


def test_names_are_words_with_a_capital_inside_a_sentence() -> None:
    texts = ["A baker meets Rosa. Then Rosa leaves.", 'He said: "Never." Old Ivo-Pet nods.', "An A is no name."]
    assert names_in(texts) == {"Rosa", "Ivo-Pet"}
    assert said_names("Rosa and rosa; Rosabel.", {"Rosa", "Ivo-Pet"}) == 1
    assert said_names("Rosabel.", {"Rosa"}) == 0


def test_a_script_without_blanks_is_counted_by_its_characters() -> None:
    text = "面包师住在小镇。面包师住在DVD店。"
    assert tokens(text) == [*"面包师住在小镇面包师住在", "dvd", "店"]
    assert length(text) == 14
    assert repeated_openings(text) == 5 / 14
    assert (repeated_triples(text), unended(text)) == (3, 0)


@pytest.mark.parametrize("kind", ["film", "clothing", "plain"])
def test_every_domain_has_examples(kind: str) -> None:
    domain = open_domain(DomainConfig(kind=kind), "garment" if kind == "clothing" else "film")
    assert len(example_bodies(domain)) == 2 * len(domain.rewriting.examples)
    assert all(example_bodies(domain))


def test_the_default_examples_name_nobody() -> None:
    assert names_in(example_bodies(default_domain())) == set()
