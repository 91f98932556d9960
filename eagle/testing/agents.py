"""What every agent has to do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from eagle.environment.steering import Observation
from eagle.policies.base import Agent
from eagle.testing.worlds import tell

PROFILED = ("u0", "u1")
ANCHORS = ("a0", "a1")


class AgentContract:
    """Override the fixture ``agent``; override ``users`` and ``anchors`` too where yours knows certain ids only."""

    @pytest.fixture
    def agent(self) -> Agent:
        raise NotImplementedError("override the fixture agent: return your agent")

    @pytest.fixture
    def users(self) -> Sequence[str]:
        return PROFILED

    @pytest.fixture
    def anchors(self) -> Sequence[str]:
        return ANCHORS

    @pytest.fixture
    def observations(self, users: Sequence[str], anchors: Sequence[str]) -> list[Observation]:
        """Six episodes: every anchor is met by every user, and some have a change behind them."""
        pairs = [(anchor, user) for anchor in list(anchors)[:3] for user in list(users)[:2]]
        return [
            Observation(case, anchor, user, 0, tell(["drama", "war"][: 1 + case % 2], "thief"), 1990)
            for case, (anchor, user) in enumerate(pairs)
        ]

    @pytest.fixture
    def seeds(self, observations: list[Observation]) -> list[int]:
        return [100 + 7 * place for place in range(len(observations))]

    def test_it_has_a_name(self, agent: Agent) -> None:
        assert isinstance(agent.name, str) and agent.name, "name should be the text that stands in tables"

    def test_there_is_one_action_per_observation(
        self, agent: Agent, observations: list[Observation], seeds: list[int]
    ) -> None:
        actions = agent.act(observations, seeds)
        assert len(actions) == len(observations), f"{len(observations)} observations but {len(actions)} actions"
        assert list(agent.act([], [])) == [], "no observations should give no actions"

    def test_actions_are_lines_of_text(self, agent: Agent, observations: list[Observation], seeds: list[int]) -> None:
        for action in agent.act(observations, seeds):
            assert isinstance(action, str) and action.strip(), f"an action should be a text, got {action!r}"
            assert "\n" not in action, f"an action should be one line, got {action!r}"

    def test_equal_seeds_give_equal_actions(
        self, agent: Agent, observations: list[Observation], seeds: list[int]
    ) -> None:
        """Also after it has acted elsewhere: nothing is kept between two calls."""
        first = agent.act(observations, seeds)
        agent.act(observations[::-1], [seed + 1 for seed in seeds])
        assert agent.act(observations, seeds) == first, (
            "the same observations and seeds give other actions: draw from the seeds only and keep no state"
        )

    def test_a_row_depends_on_itself_only(
        self, agent: Agent, observations: list[Observation], seeds: list[int]
    ) -> None:
        together = agent.act(observations, seeds)
        alone = [agent.act([each], [seed])[0] for each, seed in zip(observations, seeds, strict=True)]
        assert together == alone, "an action depends on what else is asked in the same call"
