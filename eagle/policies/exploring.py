"""Now and then another action than the policy's own: epsilon-greedy mixing, in training episodes and in proposals.

1. The paper's reference explores, its agent does not. He et al. (From Words to Actions, arXiv 2405.19883) show that an
   agent which only does what its language model proposes keeps losing the same amount in every episode, and that
   actions mixed in with probability epsilon mend it.
2. The mixed-in action is drawn from the list, evenly or by the G-optimal design.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from eagle.actions.candidate_list import CandidateList, available
from eagle.core.seeding import derive_seed
from eagle.policies.base import Agent

if TYPE_CHECKING:
    from eagle.environment.steering import Observation

#: How much an action of an anchor is explored: (anchor, action) to a weight of 0 or more, on any scale.
Weight = Callable[[str, str], float]


def evenly(anchor: str, action: str) -> float:
    """Explore every action alike."""
    return 1.0


def by_design(weights: Mapping[tuple[str, str], float]) -> Weight:
    """Explore by the G-optimal design, (anchor, action) -> probability.

    An anchor that has no design of its own gets each action's mean over those that have one.
    """
    anchors = {anchor for anchor, _ in weights}
    found: defaultdict[str, float] = defaultdict(float)
    for (_, action), weight in weights.items():
        found[action] += weight / len(anchors)
    means = dict(found)

    def weight_of(anchor: str, action: str) -> float:
        return weights.get((anchor, action), 0.0) if anchor in anchors else means.get(action, 0.0)

    return weight_of


def chances(weight: Weight, anchor: str, options: Sequence[str]) -> np.ndarray:
    """Return the probability ``(n_options,)`` of each option when exploring; even where none has a weight."""
    weights = np.array([weight(anchor, action) for action in options])
    return weights / weights.sum() if weights.sum() > 0 else np.full(len(options), 1 / len(options))


def falling(epsilon: float, update: int, updates: int) -> float:
    """Return an epsilon that falls linearly from its start at update 0 to 0 at the last of ``updates``."""
    return epsilon * (1 - update / (updates - 1)) if updates > 1 else 0.0


@dataclass(frozen=True)
class ExploringAgent:
    """An agent that with probability ``epsilon`` takes a listed action drawn by ``weight`` instead of its own.

    ``decay``: factor on epsilon for each change that the episode has had. With epsilon 0 it is the agent within.
    """

    agent: Agent
    candidates: CandidateList
    epsilon: float
    weight: Weight = evenly
    decay: float = 1.0
    repeat: bool = False

    @property
    def name(self) -> str:
        return f"{self.agent.name}_exploring" if self.epsilon > 0 else self.agent.name

    @property
    def counts(self) -> Any:
        """What the agent within counts, where it counts."""
        return getattr(self.agent, "counts", None)

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        """Return one action per observation; a row depends on its own seed alone."""
        explored = {
            row: action
            for row, (seen, seed) in enumerate(zip(observations, seeds, strict=True))
            if (action := self._explored(seen, seed)) is not None
        }
        left = [row for row in range(len(observations)) if row not in explored]
        own = self.agent.act([observations[row] for row in left], [seeds[row] for row in left]) if left else []
        chosen = explored | dict(zip(left, own, strict=True))
        return [chosen[row] for row in range(len(observations))]

    def _explored(self, seen: Observation, seed: int) -> str | None:
        rng = np.random.default_rng(derive_seed(seed, "explore"))
        if rng.random() >= self.epsilon * self.decay ** len(seen.history):
            return None
        options = available(self.candidates.of(seen.anchor), seen.history, repeat=self.repeat)
        return options[int(rng.choice(len(options), p=chances(self.weight, seen.anchor, options)))]
