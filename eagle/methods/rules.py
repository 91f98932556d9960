"""Agents without a language model and without training: random actions and the linear rule.

The linear rule takes, among the listed actions, the one whose mean shift over the cached training transitions has the
largest product with the user's vector: argmax_a <z_u, mean(z' - z | a)>. It is a map from the user to an action and
ignores the state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eagle.actions.candidate_list import CandidateList, available
from eagle.training.steps import CachedSteps

if TYPE_CHECKING:
    from eagle.environment.steering import Observation


@dataclass(frozen=True)
class RandomActions:
    """Draws a listed action uniformly."""

    candidates: CandidateList
    repeat: bool = False
    name: str = "random"

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        """Return one listed action for each observation."""
        chosen = []
        for observation, seed in zip(observations, seeds, strict=True):
            options = available(self.candidates.of(observation.anchor), observation.history, repeat=self.repeat)
            chosen.append(options[int(np.random.default_rng(seed).integers(len(options)))])
        return chosen


def mean_shifts(steps: CachedSteps) -> dict[str, np.ndarray]:
    """Return each action's mean change z' - z ``(d,)``, every anchor counted once."""
    change = steps.next_vector - steps.state_vector
    shifts = {}
    for index, action in enumerate(steps.vocabulary):
        rows = steps.action == index
        if rows.any():
            shifts[action] = steps.mean_over_anchors(change, rows)
    return shifts


@dataclass(frozen=True)
class LinearRule:
    """The best mean shift for the user, state ignored; with ``repeat`` the same action again and again."""

    candidates: CandidateList
    shifts: Mapping[str, np.ndarray]
    user_vector: Callable[[str], np.ndarray]
    repeat: bool = False
    name: str = "linear_rule"

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        """Return one listed action for each observation; ``seeds`` do not matter."""
        chosen = []
        for observation in observations:
            known = [a for a in self.candidates.of(observation.anchor) if a in self.shifts]
            options = available(known, observation.history, repeat=self.repeat)
            vector = self.user_vector(observation.user)
            chosen.append(max(options, key=lambda a: float(vector @ self.shifts[a])))
        return chosen
