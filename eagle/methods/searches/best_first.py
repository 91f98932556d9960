"""Tree search over the G-optimal actions, best first.

1. Paper, appendix (Amazon clothing): a search of depth 5 over the G-optimal actions; the best leaf is the answer.
2. Differs: the whole tree has some 100,000 leaves, so texts are opened in the order of their U, a few actions at a
   time, until the budget is spent.
3. Differs: every text on the way may be the answer, not leaves alone. So the search can be stopped at any budget.
"""

from __future__ import annotations

from dataclasses import dataclass

from eagle.methods.base import Seeds
from eagle.methods.searches.designed import DesignedActions
from eagle.methods.searches.growing import CaseSearch, GrowingMethod, Idea
from eagle.methods.searches.tree import DEPTH, Branching


@dataclass(frozen=True)
class TreeSearch(GrowingMethod):
    """Opens the text of highest U that still has untried actions, ``width`` actions at a time."""

    actions: DesignedActions
    depth: int = DEPTH
    width: int = 4
    name: str = "tree_search"

    def ideas(self, one: CaseSearch, room: int, seeds: Seeds) -> list[Idea]:
        """Open the best text that has untried changes."""
        return best_open(one, Branching(self.actions, seeds, self.depth))[: min(room, self.width)]


def best_open(one: CaseSearch, branching: Branching) -> list[Idea]:
    """Return the untried changes of the best text that has some; of equally good ones the first is taken."""
    children = one.children()
    for place in sorted(range(len(one)), key=lambda p: -one.gain(p)):
        ideas = branching.untried(one, place, len(children[place]))
        if ideas:
            return ideas
    return []
