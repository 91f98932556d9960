"""A method of somebody's own: in each step it tries two actions of the list and goes on with the better text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eagle.actions.candidate_list import unused
from eagle.environment.branching import BranchingEnvironment
from eagle.environment.steering import Case, Observation
from eagle.latent.text_utility import TextUtility
from eagle.methods.base import Candidate, Seeds, Trajectory
from eagle.methods.context import MethodContext

WIDTH = 2


class BestOfTwo:
    """Named by one line of params.yaml: ``evaluate.methods: [own_method:BestOfTwo]``."""

    name = "best_of_two"

    def __init__(self, context: MethodContext) -> None:
        self.candidates = context.candidates

    def run(
        self,
        cases: Sequence[Case],
        budget: int,
        seeds: Seeds,
        environment: BranchingEnvironment,
        utility: TextUtility,
    ) -> list[Trajectory]:
        """Return one trajectory per case; a step costs two texts."""
        states = [environment.start(case) for case in cases]
        found: list[list[Candidate]] = [[] for _ in cases]
        for _ in range(budget // WIDTH):
            drawn = [self._draw(state, seeds) for state in states]
            tried = [state for state in states for _ in range(WIDTH)]
            changes = environment.apply(tried, [action for pair in drawn for action in pair])
            texts = [change.state.text for change in changes]
            values = utility(texts, [state.year for state in tried], [state.user for state in tried])
            for row, pair in enumerate(drawn):
                own = changes[row * WIDTH : (row + 1) * WIDTH]
                best = int(np.argmax(values[row * WIDTH : (row + 1) * WIDTH]))
                found[row] += [
                    Candidate(
                        states[row].case, c.state.step, n, pair[n], c.state.text, c.cause, c.copied, accepted=n == best
                    )
                    for n, c in enumerate(own)
                ]
                states[row] = own[best].state
        return [Trajectory(case, tuple(own)) for case, own in zip(cases, found, strict=True)]

    def _draw(self, state: Observation, seeds: Seeds) -> list[str]:
        options = unused(self.candidates.of(state.anchor), state.history)
        rng = np.random.default_rng(seeds.of(state.case, state.step))
        return [options[i] for i in rng.choice(len(options), WIDTH, replace=len(options) < WIDTH)]
