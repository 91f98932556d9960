"""Epsilon-greedy mixing: shares and weights by construction, twins at epsilon 0, and its decay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eagle.actions.candidate_list import CandidateList
from eagle.environment.steering import Observation
from eagle.policies.exploring import ExploringAgent, by_design, chances, evenly, falling

LISTED = ("Set it in space.", "Add a love story.", "Make the hero a robot.", "Turn it into a horror film.")
CANDIDATES = CandidateList(LISTED, {}, {})


@dataclass
class Stubborn:
    """Always the first action; remembers the seeds that it was asked with."""

    name: str = "stubborn"
    asked: list[int] = field(default_factory=list)

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        self.asked.extend(seeds)
        return [LISTED[0] for _ in observations]


def observed(count: int, history: tuple[str, ...] = ()) -> list[Observation]:
    return [Observation(i, "a", "u", len(history), "Genres: war.", None, history) for i in range(count)]


def test_the_share_and_the_weights_of_explored_actions() -> None:
    weights = {("a", LISTED[0]): 0.0, ("a", LISTED[1]): 0.75, ("a", LISTED[2]): 0.25}
    agent = ExploringAgent(Stubborn(), CANDIDATES, 0.4, by_design(weights))
    counts = Counter(agent.act(observed(4000), range(4000)))
    np.testing.assert_allclose([counts[a] / 4000 for a in LISTED], [0.6, 0.3, 0.1, 0.0], atol=0.03)
    assert agent.name == "stubborn_exploring"


def test_at_epsilon_zero_it_is_the_agent_within() -> None:
    within = Stubborn()
    agent = ExploringAgent(within, CANDIDATES, 0.0)
    assert agent.act(observed(5), [4, 5, 6, 7, 8]) == [LISTED[0]] * 5
    assert (within.asked, agent.name, agent.counts) == ([4, 5, 6, 7, 8], "stubborn", None)
    assert agent.act([], []) == []


def test_a_batch_acts_as_its_rows_do_one_by_one_and_the_agent_is_asked_only_where_it_acts() -> None:
    within = Stubborn()
    agent = ExploringAgent(within, CANDIDATES, 0.5)
    seen, seeds = observed(40), list(range(40))
    together = agent.act(seen, seeds)
    assert 5 < len(within.asked) < 35
    assert together == [agent.act([o], [s])[0] for o, s in zip(seen, seeds, strict=True)]


def test_used_actions_are_not_explored_unless_they_may_come_again() -> None:
    seen = observed(200, LISTED[:3])
    assert set(ExploringAgent(Stubborn(), CANDIDATES, 1.0).act(seen, range(200))) == {LISTED[3]}
    assert set(ExploringAgent(Stubborn(), CANDIDATES, 1.0, repeat=True).act(seen, range(200))) == set(LISTED)


def test_decay_lowers_epsilon_with_every_change() -> None:
    agent = ExploringAgent(Stubborn(), CANDIDATES, 0.8, decay=0.5)
    history = ("Do this.", "Do that.")
    shares = [
        np.mean([a != LISTED[0] for a in agent.act(observed(4000, history[:used]), range(4000))]) for used in range(3)
    ]
    np.testing.assert_allclose(shares, [0.6, 0.3, 0.15], atol=0.03)  # a fourth of the explored ones is the first action


def test_an_anchor_without_a_design_is_explored_by_the_mean_design() -> None:
    weight = by_design({("a", "x"): 1.0, ("b", "x"): 0.5, ("b", "y"): 0.5})
    assert (weight("a", "y"), weight("c", "x"), weight("c", "y"), weight("c", "z")) == (0.0, 0.75, 0.25, 0.0)
    np.testing.assert_allclose(chances(weight, "c", ["y", "x"]), [0.25, 0.75])
    np.testing.assert_allclose(chances(weight, "c", ["z", "w"]), [0.5, 0.5])
    np.testing.assert_allclose(chances(evenly, "c", ["y", "x"]), [0.5, 0.5])


@given(st.floats(0, 1), st.integers(1, 50))
def test_epsilon_falls_from_its_start_to_zero(epsilon: float, updates: int) -> None:
    found = [falling(epsilon, update, updates) for update in range(updates)]
    assert found[-1] == 0
    assert found == sorted(found, reverse=True)
    if updates > 1:
        assert found[0] == pytest.approx(epsilon)
