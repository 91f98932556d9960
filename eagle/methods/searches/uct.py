"""UCT over the G-optimal actions: which text to change next is a bandit problem at every text of the tree.

1. Kocsis & Szepesvari 2006: in each text the change is followed whose mean gain in U, plus a bonus for having seldom
   been followed (UCB1), is highest. Followed.
2. Differs: a text's own gain is its value; there are no random play-outs, because every text costs as much.
3. Differs: a text is given further changes only as it is visited (progressive widening, Coulom 2007), since it has more
   actions than a usual budget has texts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from eagle.methods.base import Seeds
from eagle.methods.searches.designed import DesignedActions
from eagle.methods.searches.growing import CaseSearch, GrowingMethod, Idea
from eagle.methods.searches.tree import DEPTH, Branching, subtree_means


@dataclass(frozen=True)
class Uct(GrowingMethod):
    """Writes one text per case and round. ``exploration``: weight of the bonus, SD of U; ``widening``: changes that a
    text is given for the root of its visits.
    """

    actions: DesignedActions
    depth: int = DEPTH
    exploration: float = 1.0
    widening: float = 2.0
    name: str = "uct"

    def ideas(self, one: CaseSearch, room: int, seeds: Seeds) -> list[Idea]:
        """Walk from the anchor's text to the one to change, and return its next change; none where all are tried."""
        if room <= 0:
            return []
        branching = Branching(self.actions, seeds, self.depth)
        children, (visits, means) = one.children(), subtree_means(one)
        can_grow = branching.can_grow(one, children)
        place = 0
        while can_grow[place]:
            tried = len(children[place])
            below = [child for child in children[place] if can_grow[child]]
            widens = not below or tried < self.widening * math.sqrt(visits[place])
            if widens and branching.left(one, place, tried):
                return branching.untried(one, place, tried)[:1]
            scores = [means[c] + self.exploration * math.sqrt(math.log(visits[place]) / visits[c]) for c in below]
            place = below[scores.index(max(scores))]
        return []
