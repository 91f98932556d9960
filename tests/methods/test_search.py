"""Search with an agent, on a world whose best texts are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eagle.config import NoveltyConfig, UtilityConfig
from eagle.environment.branching import BranchingEnvironment
from eagle.environment.steering import Case, Observation
from eagle.latent.text_utility import TextUtility
from eagle.latent.utilities import fit_utility
from eagle.methods.base import Method, Seeds, Trajectory
from eagle.methods.context import MethodContext
from eagle.methods.search import Search, draws_by_step
from eagle.methods.search_tree import best_eligible
from eagle.testing.methods import GENRES, GenreCounts, MethodContract, PlantedWriter, method_context, tell


class TestOneStep(MethodContract):
    @pytest.fixture
    def method_kind(self) -> Callable[[MethodContext], Method]:
        return lambda context: Search(context.agent("any"), "search", steps=1)


class TestBeam(MethodContract):
    @pytest.fixture
    def method_kind(self) -> Callable[[MethodContext], Method]:
        return lambda context: Search(context.agent("any"), "search", steps=3, beam=2)


@dataclass(frozen=True)
class Adds:
    """Draws a genre to add by its seed."""

    name: str = "adds"

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        return [f"Add a {GENRES[seed % len(GENRES)]}." for seed in seeds]


def play(
    context: MethodContext,
    budget: int,
    steps: int,
    broken: Callable[[Sequence[str], Sequence[str] | None], np.ndarray] | None = None,
) -> Trajectory:
    """Search for one case: user u0, who likes comedies."""
    utility = TextUtility(GenreCounts(), context.data.utility, broken)
    case = Case(3, "i3", "u0", tell("war", "A stranger comes."))
    environment = BranchingEnvironment(PlantedWriter(), 7, budget)
    return Search(Adds(), "search", steps).run([case], budget, Seeds(7), environment, utility)[0]


@pytest.fixture
def context(tmp_path: Path) -> MethodContext:
    found = method_context(tmp_path)
    settings = UtilityConfig(neighbours=1, novelty=NoveltyConfig(least=0))
    return replace(found, data=replace(found.data, utility=fit_utility(found.latent, settings)))


def test_the_best_of_all_candidates_is_the_answer(context: MethodContext) -> None:
    found = play(context, 12, 1)
    comedies = [c.text for c in found.candidates if c.text.count("comedy")]
    assert len(found.candidates) == 12
    assert comedies
    assert found.text in comedies


def test_each_step_goes_on_from_the_best_so_far(context: MethodContext) -> None:
    """Three steps of eight draws: every step adds one more comedy."""
    assert play(context, 24, 3).text.count("comedy") == 3


def test_a_draw_is_a_number_among_those_of_its_step(context: MethodContext) -> None:
    assert [(c.step, c.draw) for c in play(context, 4, 2).candidates] == [(1, 0), (1, 1), (2, 0), (2, 1)]


def test_a_larger_budget_has_the_candidates_of_a_smaller_one_in_front(context: MethodContext) -> None:
    few, many = play(context, 4, 1).candidates, play(context, 9, 1).candidates
    assert [c.text for c in many[:4]] == [c.text for c in few]


def test_the_same_action_on_the_same_text_gives_another_text(context: MethodContext) -> None:
    texts = [c.text for c in play(context, 20, 1).candidates]
    assert len(set(texts)) == 20


def test_a_broken_text_is_never_kept(context: MethodContext) -> None:
    found = play(context, 12, 1, lambda texts, _: np.array(["comedy" in text for text in texts]))
    assert any("comedy" in c.text for c in found.candidates)
    assert "comedy" not in found.text


def test_where_nothing_is_eligible_nothing_is_accepted(context: MethodContext) -> None:
    found = play(context, 6, 2, lambda texts, _: np.ones(len(texts), dtype=bool))
    assert len(found.candidates) == 6
    assert found.accepted == []
    assert found.text == found.case.text


@given(budget=st.integers(1, 40), steps=st.integers(1, 6))
def test_the_whole_budget_is_spent(budget: int, steps: int) -> None:
    draws = draws_by_step(budget, steps)
    assert sum(draws) == budget
    assert max(draws) - min(draws) <= 1


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.booleans()), max_size=20).map(
        lambda rows: (np.array([u for u, _ in rows]), np.array([e for _, e in rows], dtype=bool))
    )
)
def test_only_eligible_texts_are_kept_and_none_is_better(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    utility, eligible = drawn
    best = best_eligible(utility, eligible)
    if best is None:
        assert not eligible.any()
    else:
        assert eligible[best]
        assert utility[best] == utility[eligible].max()
