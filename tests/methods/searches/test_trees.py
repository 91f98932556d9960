"""Trees: a planted optimum behind a bad first change, statistics by hand, and which actions a tree branches over."""

from __future__ import annotations

from pathlib import Path

import pytest

from eagle.environment.branching import BranchingEnvironment
from eagle.environment.steering import Case
from eagle.methods.base import Method
from eagle.methods.searches.best_first import TreeSearch
from eagle.methods.searches.designed import DesignedActions
from eagle.methods.searches.tree import subtree_means
from eagle.methods.searches.uct import Uct
from eagle.testing.methods import ACTIONS, method_context
from tests.methods.searches.planted import AddingWriter, PlantedUtility, Words, answers, grown, listed, play

DESIGNED = DesignedActions(listed("near", "far", "on", "off"), {})
VALUES = {("near",): 1.0, ("far",): -0.2, ("far", "on"): 3.0}


def trap(said: Words) -> float:
    """`near` pays at once, and `far, on` pays more; all else costs."""
    return VALUES.get(said, -1.0 if said else 0.0)


def test_a_greedy_walk_misses_the_optimum() -> None:
    """The yardstick: the best change of each step."""
    said: Words = ()
    while best := max((a for a in DESIGNED.candidates.shared if a not in said), key=lambda a: trap((*said, a))):
        if trap((*said, best)) <= trap(said):
            break
        said = (*said, best)
    assert said == ("near",)


@pytest.mark.parametrize("search", [TreeSearch(DESIGNED), Uct(DESIGNED)], ids=["tree_search", "uct"])
def test_a_tree_finds_what_a_greedy_walk_misses(search: Method) -> None:
    assert answers(play(search, PlantedUtility(trap), 40)) == {("far", "on")}


@pytest.mark.parametrize("search", [TreeSearch(DESIGNED, depth=2), Uct(DESIGNED, depth=2)], ids=["tree_search", "uct"])
def test_a_whole_tree_is_seen_once_and_then_the_search_ends(search: Method) -> None:
    for trajectory in play(search, PlantedUtility(trap), 99):
        texts = [candidate.text for candidate in trajectory.candidates]
        assert len(texts) == len(set(texts)) == 4 + 4 * 3
        assert max(candidate.step for candidate in trajectory.candidates) == 2


def test_the_best_text_is_opened_first() -> None:
    """With the whole first step seen, the next texts are changes of the best one."""
    for trajectory in play(TreeSearch(DESIGNED, width=4), PlantedUtility(trap), 7):
        assert [c.text.split()[1:-1] for c in trajectory.candidates] == [[]] * 4 + [["near"]] * 3


def test_uct_goes_where_the_mean_is_high() -> None:
    """Whatever follows `near` pays, nothing else does: most texts are written there, and some elsewhere."""
    found = play(Uct(DESIGNED, exploration=0.5), PlantedUtility(lambda said: float(said[:1] == ("near",))), 24)
    for trajectory in found:
        starts = [candidate.text.split()[1] for candidate in trajectory.candidates]
        assert starts.count("near") > 12 and len(set(starts)) > 1


def test_means_of_subtrees_by_hand() -> None:
    rows = [
        ("a", 0, 1.0, True),
        ("b", 0, 2.0, True),
        ("ac", 1, 3.0, True),
        ("acd", 3, -1.0, True),
        ("e", 2, 9.0, False),
    ]
    visits, means = subtree_means(grown(rows))
    assert visits == [6, 3, 2, 2, 1, 1]
    assert means == [5 / 6, 1.0, 1.0, 1.0, -1.0, 0.0]


def test_actions_without_weight_come_only_where_no_other_is_left() -> None:
    actions = DesignedActions(listed("a", "b", "c"), {"a": 0.5, "b": 0.5, "c": 0.0})
    state = BranchingEnvironment.start(Case(0, "i", "u", "Start."))
    assert sorted(actions.ordered(state, 1)) == ["a", "b"]
    one = BranchingEnvironment(AddingWriter(), 1, 9)
    for action in ("a", "b"):
        state = one.apply([state], [action])[0].state
    assert actions.ordered(state, 1) == ["c"]


def test_heavier_actions_come_first_more_often() -> None:
    actions = DesignedActions(listed("a", "b"), {"a": 0.9, "b": 0.1})
    state = BranchingEnvironment.start(Case(0, "i", "u", "Start."))
    first = [actions.ordered(state, seed)[0] for seed in range(200)]
    assert 160 < first.count("a") < 200


def test_the_design_is_over_the_mean_movements(tmp_path: Path) -> None:
    """Four actions each move along an axis of their own, the fifth does not move: it has no weight."""
    weights = DesignedActions.solve(method_context(tmp_path)).weights
    assert set(weights) == set(ACTIONS)
    assert weights["Move it to Paris."] == pytest.approx(0.0, abs=1e-6)
    assert [weights[action] for action in ACTIONS[:4]] == pytest.approx([0.25] * 4, abs=1e-2)
