"""An agent as a method: in each step it draws one action per case, and its change is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eagle.environment.branching import BranchingEnvironment
from eagle.environment.steering import Case
from eagle.latent.text_utility import TextUtility
from eagle.methods.base import Candidate, Seeds, Trajectory
from eagle.policies.base import Agent


@dataclass(frozen=True)
class AgentMethod:
    """Lets ``agent`` act for ``horizon`` changes, or for as many as the budget has room for."""

    agent: Agent
    horizon: int

    @property
    def name(self) -> str:
        return self.agent.name

    def run(
        self,
        cases: Sequence[Case],
        budget: int,
        seeds: Seeds,
        environment: BranchingEnvironment,
        utility: TextUtility,
    ) -> list[Trajectory]:
        """Return one trajectory per case; every candidate is accepted, a failed one with its cause."""
        states = [environment.start(case) for case in cases]
        found: list[list[Candidate]] = [[] for _ in cases]
        for step in range(min(self.horizon, budget)):
            drawn = [seeds.of(case.case, step) for case in cases]
            actions = self.agent.act(states, drawn)
            changes = environment.apply(states, actions)
            for own, action, change, seed in zip(found, actions, changes, drawn, strict=True):
                state = change.state
                own.append(Candidate(state.case, state.step, 0, action, state.text, change.cause, change.copied, seed))
            states = [change.state for change in changes]
        return [Trajectory(case, tuple(own)) for case, own in zip(cases, found, strict=True)]
