"""Evolution: who survives, and an optimum that only crossover reaches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from eagle.config import DomainConfig
from eagle.domains.open import open_domain
from eagle.domains.text import Description
from eagle.environment.rewrite import Rewrite
from eagle.methods.open import open_method
from eagle.methods.searches.crossover import QUOTED_WORDS, crossover
from eagle.methods.searches.evolution import Evolution, survivors
from eagle.methods.searches.mutation import Mutation
from eagle.testing.methods import method_context
from tests.methods.searches.planted import AddingWriter, PlantedUtility, Words, answers, grown, listed, play, words

LETTERS = listed("a", "b", "c", "d")


def test_the_best_texts_survive_and_the_anchor_among_them() -> None:
    one = grown([("x", 0, 2.0, True), ("y", 0, -1.0, True), ("z", 0, 3.0, False), ("x", 2, 2.0, True)])
    assert survivors(one, 4) == [1, 0, 2]
    assert survivors(one, 1) == [1]


class ReplacingWriter(AddingWriter):
    """A mutation replaces all that was said; "mix:b" adds b: only crossover has two words in a text."""

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
        return [
            Rewrite(f"{text} {action[4:]}" if action.startswith("mix:") else f"Start. {action}")
            for text, action in zip(texts, actions, strict=True)
        ]


def both(said: Words) -> float:
    """U: how many of the two good words are there."""
    return float("a" in said) + float("b" in said)


@pytest.mark.parametrize(("crossed", "best"), [(0.5, 2.0), (0.0, 1.0)])
def test_only_crossover_brings_two_good_words_together(crossed: float, best: float) -> None:
    crossing = Evolution(Mutation(LETTERS, repeat=True), lambda text: "mix:" + " ".join(words(text)), crossed=crossed)
    found = play(crossing, PlantedUtility(both), 32, writer=ReplacingWriter())
    assert {both(said) for said in answers(found)} == {best}


def test_the_first_text_is_that_of_random_actions(tmp_path: Path) -> None:
    """Common random numbers: before anything is known, evolution draws as the method `random` does."""
    context = method_context(tmp_path)
    random, evolution = (open_method(kind, context) for kind in ("random", "evolution"))
    first = [[t.candidates[0].action for t in play(method, PlantedUtility(both), 1)] for method in (random, evolution)]
    assert first[0] == first[1]


def test_a_crossover_asks_for_what_the_other_text_is_about() -> None:
    crossing = crossover(open_domain(DomainConfig(), "film"))
    story = "Genres: war, comedy. Plot: A spy falls in love. He must choose."
    assert crossing(story) == "Make it war and comedy and bring in this: A spy falls in love."
    assert crossing("Genres: war.") == "Make it war"
    assert crossing("No fields here. At all.") == "Bring in this: No fields here."
    assert len(crossing(f"Genres: war. Plot: {'word ' * 60}.").split()) == 7 + QUOTED_WORDS
    domain = open_domain(DomainConfig(kind="clothing"), "dress")
    other = Description(("dresses",), "A soft red dress.", domain.fields).render()
    assert crossover(domain)(other) == "Make it dresses and bring in this: A soft red dress."
