"""The environment without episodes: any action on any state, as often as a budget allows.

Methods that look at several texts before they go on need this. The seed of a change is that of
:class:`eagle.environment.steering.SteeringEnvironment`, so the same action on the same text gives the same text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from eagle.environment.steering import Case, Observation, Writer, change_seed

if TYPE_CHECKING:
    from eagle.environment.rewrite import Rewrite


@dataclass(frozen=True)
class Change:
    """One action on one state. ``cause`` says why generation failed; the state then has the text from before."""

    state: Observation
    cause: str | None = None
    copied: bool = False


@dataclass
class BranchingEnvironment:
    """Applies actions to states, at most ``budget`` per case; ``spent`` counts them by case."""

    writer: Writer
    seed: int
    budget: int
    spent: Counter[int] = field(default_factory=Counter)

    @staticmethod
    def start(case: Case) -> Observation:
        """Return the state in which a case begins; it costs nothing."""
        return Observation(case.case, case.anchor, case.user, 0, case.text, case.year)

    def left(self, case: int) -> int:
        """Return how many more texts may be asked for a case."""
        return self.budget - self.spent[case]

    def charge(self, cases: Sequence[int]) -> None:
        """Count one text for every entry of ``cases``: of this environment, or written by other means in its place.

        Raises RuntimeError, and counts nothing, where a case would get more texts than its budget.
        """
        asked = Counter(cases)
        over = sorted(case for case, texts in asked.items() if texts > self.left(case))
        if over:
            raise RuntimeError(f"more than the budget of {self.budget} texts per case is asked for cases {over}")
        self.spent += asked

    def apply(
        self, states: Sequence[Observation], actions: Sequence[str], draws: Sequence[int] | None = None
    ) -> list[Change]:
        """Return the state after each action, in order; all texts are written together.

        ``draws``: number of the draw, for another text of the same action on the same text; 0 where it is None, and 0
        is the text that every other arm gets. Raises RuntimeError before anything is written where a case would get
        more texts than its budget.
        """
        self.charge([state.case for state in states])
        numbers = [0] * len(states) if draws is None else draws
        seeds = [
            change_seed(self.seed, state.text, action, draw)
            for state, action, draw in zip(states, actions, numbers, strict=True)
        ]
        return changes(states, actions, self.writer.rewrite([state.text for state in states], list(actions), seeds))


def changes(states: Sequence[Observation], actions: Sequence[str], rewrites: Sequence[Rewrite]) -> list[Change]:
    """Return the states after ``rewrites``, the answers to one action on each of ``states``."""
    return [
        Change(
            replace(
                state,
                step=state.step + 1,
                text=state.text if found.text is None else found.text,
                history=(*state.history, action),
            ),
            None if found.text is not None else found.cause or "failed",
            found.copied,
        )
        for state, action, found in zip(states, actions, rewrites, strict=True)
    ]
