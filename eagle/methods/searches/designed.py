"""The actions that a tree branches over: the support of a G-optimal design.

1. Paper, Sec. 4.3: the G-optimal actions of an anchor. Followed, by the certified solver (eagle/actions/design).
2. Differs: a held-out anchor has no cached texts and so no design. The design here is over each listed action's mean
   movement E_D(x') - E_D(x) at the training anchors, the same for all anchors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from eagle.actions.candidate_list import CandidateList, available
from eagle.actions.design.solver import optimal_design
from eagle.actions.design.stage import project_onto_principal
from eagle.environment.steering import Observation
from eagle.methods.context import MethodContext
from eagle.methods.rules import mean_shifts


@dataclass(frozen=True)
class DesignedActions:
    """The actions of a state that have a weight; the others only where none of these is left."""

    candidates: CandidateList
    weights: Mapping[str, float]
    repeat: bool = False

    @classmethod
    def solve(cls, context: MethodContext) -> DesignedActions:
        """Solve the design over the mean movements of all listed actions."""
        shifts, settings = mean_shifts(context.data.steps), context.config.design
        vectors = project_onto_principal(np.stack(list(shifts.values())).astype(np.float64), settings.projection)
        design = optimal_design(vectors, settings.tolerance)
        weights = dict(zip(shifts, design.weights.tolist(), strict=True))
        return cls(context.candidates, weights, context.repeat)

    def of_state(self, state: Observation) -> list[str]:
        """Return the actions to try in ``state``, as they are listed."""
        listed = available(self.candidates.of(state.anchor), state.history, repeat=self.repeat)
        return [action for action in listed if self.weights.get(action, 0.0) > 0] or listed

    def ordered(self, state: Observation, seed: int) -> list[str]:
        """Return the actions to try in ``state``, in a drawn order."""
        chosen = self.of_state(state)
        weights = np.array([self.weights.get(action, 0.0) or 1.0 for action in chosen])
        order = np.random.default_rng(seed).choice(len(chosen), len(chosen), replace=False, p=weights / weights.sum())
        return [chosen[place] for place in order]
