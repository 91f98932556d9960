"""Tree search over the G-optimal actions, best first.

1. Paper, appendix (Amazon clothing): a search of depth 5 over the G-optimal actions; the best leaf is the answer.
2. Differs: the whole tree has some 100,000 leaves, so texts are opened in the order of their U, a few actions at a
   time, until the budget is spent.
3. Differs: every text on the way may be the answer, not leaves alone. So the search can be stopped at any budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eagle.environment.branching import BranchingEnvironment
from eagle.environment.steering import Case
from eagle.methods.base import Seeds, TextUtility, Trajectory
from eagle.methods.searches.designed import DesignedActions
from eagle.methods.searches.growing import CaseSearch, Idea, grow
from eagle.methods.searches.tree import DEPTH, Branching


@dataclass(frozen=True)
class TreeSearch:
    """Opens the text of highest U that still has untried actions, ``width`` actions at a time."""

    actions: DesignedActions
    depth: int = DEPTH
    width: int = 4
    name: str = "tree_search"

    def run(
        self,
        cases: Sequence[Case],
        budget: int,
        seeds: Seeds,
        environment: BranchingEnvironment,
        utility: TextUtility,
    ) -> list[Trajectory]:
        """Return one trajectory per case; its way leads to the best eligible text."""
        branching = Branching(self.actions, seeds, self.depth)

        def propose(searches: Sequence[CaseSearch], rooms: Sequence[int]) -> list[list[Idea]]:
            return [best_open(s, branching)[: min(room, self.width)] for s, room in zip(searches, rooms, strict=True)]

        return grow(cases, budget, environment, utility, propose)


def best_open(one: CaseSearch, branching: Branching) -> list[Idea]:
    """Return the untried changes of the best text that has some; of equally good ones the first is taken."""
    children = one.children()
    for place in sorted(range(len(one)), key=lambda p: -one.gain(p)):
        ideas = branching.untried(one, place, len(children[place]))
        if ideas:
            return ideas
    return []
