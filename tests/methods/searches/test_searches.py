"""What holds for every search: budgets are prefixes, all cases are written together, texts without merit never win."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.methods.base import Method
from eagle.methods.searches.best_first import TreeSearch
from eagle.methods.searches.designed import DesignedActions
from eagle.methods.searches.evolution import Evolution
from eagle.methods.searches.mutation import Mutation
from eagle.methods.searches.quality_diversity import MutationEmitter, QualityDiversity
from eagle.methods.searches.uct import Uct
from tests.methods.searches.planted import CASES, AddingWriter, PlantedUtility, Words, answers, listed, play, words

ACTIONS = listed("a", "b", "c", "d")
DESIGNED = DesignedActions(ACTIONS, {}, repeat=True)
MUTATION = Mutation(ACTIONS, repeat=True)
SEARCHES: dict[str, Method] = {
    "tree_search": TreeSearch(DESIGNED, depth=3, width=2),
    "uct": Uct(DESIGNED, depth=3),
    "evolution": Evolution(MUTATION, lambda text: words(text)[-1] if words(text) else "a"),
    "quality_diversity": QualityDiversity("quality_diversity", MutationEmitter(MUTATION), np.eye(4)),
}


def gain(said: Words) -> float:
    """Something without ties that goes up and down."""
    return sum((1 + n) * {"a": 0.5, "b": -0.3, "c": 0.21, "d": -0.17}.get(word, 0.0) for n, word in enumerate(said))


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 50), least=st.integers(0, 12), more=st.integers(1, 12))
def test_a_smaller_budget_is_the_start_of_a_larger_one(search: Method, seed: int, least: int, more: int) -> None:
    utility = PlantedUtility(gain, lambda said: said[-1:] != ("c",))
    small, large = (play(search, utility, budget, seed=seed) for budget in (least, least + more))
    for few, many in zip(small, large, strict=True):
        first = many.candidates[:least]
        assert [(c.action, c.text) for c in few.candidates] == [(c.action, c.text) for c in first]
        fine = [c for c in first if utility.eligible(words(c.text))]
        best = max(fine, key=lambda c: gain(words(c.text)), default=None)
        assert few.text == (few.case.text if best is None else best.text)


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_the_whole_budget_is_used_where_there_is_something_to_try(search: Method) -> None:
    found = play(search, PlantedUtility(gain), 11)
    assert [len(trajectory.candidates) for trajectory in found] == [11] * len(CASES)


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_all_cases_are_written_together(search: Method) -> None:
    writer = AddingWriter()
    play(search, PlantedUtility(gain), 8, writer=writer)
    assert sum(map(len, writer.asked)) == 8 * len(CASES)
    assert len(writer.asked) <= 8
    assert {len(call) % len(CASES) for call in writer.asked} == {0}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_a_text_that_is_not_eligible_is_no_answer(search: Method) -> None:
    tempting = PlantedUtility(lambda said: 100.0 * ("a" in said) + len(said), lambda said: "a" not in said)
    assert not any("a" in said for said in answers(play(search, tempting, 12)))
    nothing = play(search, PlantedUtility(gain, lambda said: False), 12)
    assert [(t.accepted, t.text) for t in nothing] == [([], "Start.")] * len(CASES)


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_nothing_is_built_on_a_failure(search: Method) -> None:
    found = play(search, PlantedUtility(gain), 12, writer=AddingWriter(frozenset("b")))
    failed = [c for t in found for c in t.candidates if c.cause is not None]
    assert failed and {c.action for c in failed} == {"b"}
    assert not any(c.accepted for c in failed)


@pytest.mark.parametrize("search", [SEARCHES["evolution"], SEARCHES["quality_diversity"]])
def test_the_same_question_is_asked_with_another_draw(search: Method) -> None:
    """Twelve changes of the anchor's text by four actions: the environment gets a new seed each time."""
    writer = AddingWriter()
    play(search, PlantedUtility(gain, lambda said: False), 12, writer=writer)
    requests = [request for call in writer.asked for request in call]
    different = {request for request in requests if request[0] == "Start."}
    assert len(different) == 12, "all cases share three draws of each action: seeds have no user in them"
    assert len(requests) == 12 * len(CASES)
