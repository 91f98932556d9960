"""The user's best fixed actions: a yardstick that knows U, but not the text in front of it.

Differs from a true oracle on the test anchors: it ranks actions by U over the cached texts of other anchors, so that it
costs no texts of its own. It is what one could do for this user with U at hand and no policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eagle.actions.candidate_list import unused

if TYPE_CHECKING:
    from eagle.actions.candidate_list import CandidateList
    from eagle.environment.steering import Observation
    from eagle.latent.base import Utility
    from eagle.training.steps import CachedSteps


@dataclass(frozen=True)
class FixedBest:
    """Gives every user their own fixed sequence, ``ranked`` best first, whatever the text."""

    ranked: Mapping[str, tuple[str, ...]]
    name: str = "fixed_best"

    @classmethod
    def fit(cls, steps: CachedSteps, utility: Utility, candidates: CandidateList, users: Sequence[str]) -> FixedBest:
        """Rank the shared actions of each user by the mean one-step gain in U over cached anchors, every anchor counted
        once.
        """
        gains = action_gains(steps, utility, candidates.shared, users)
        order = np.argsort(-gains, axis=0, kind="stable")
        return cls({user: tuple(candidates.shared[i] for i in order[:, column]) for column, user in enumerate(users)})

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        """Return each user's best action that this episode has not used; ``seeds`` do not matter."""
        return [unused(self.ranked[o.user], o.history)[0] for o in observations]


def action_gains(steps: CachedSteps, utility: Utility, actions: Sequence[str], users: Sequence[str]) -> np.ndarray:
    """Return mean U(next) - U(state) of first steps, (n_actions, n_users); -inf where an action was never seen."""
    change = utility.matrix(steps.next_vector, users) - utility.matrix(steps.state_vector, users)
    found = np.full((len(actions), len(users)), -np.inf)
    place = {action: index for index, action in enumerate(steps.vocabulary)}
    for row, action in enumerate(actions):
        mine = (steps.action == place.get(action, -1)) & (steps.step == 1)
        if mine.any():
            found[row] = steps.mean_over_anchors(change, mine)
    return found
