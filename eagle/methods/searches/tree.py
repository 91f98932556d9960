"""A tree of texts: which changes of which text are still to be tried, and how well each subtree did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eagle.methods.base import Seeds
from eagle.methods.searches.designed import DesignedActions
from eagle.methods.searches.growing import CaseSearch, Idea

#: Longest way from the anchor, in changes: the paper's (appendix, Amazon clothing).
DEPTH = 5


@dataclass(frozen=True)
class Branching:
    """How a tree may grow: every action of a text once, ``depth`` changes deep."""

    actions: DesignedActions
    seeds: Seeds
    depth: int = DEPTH

    def untried(self, one: CaseSearch, place: int, tried: int) -> list[Idea]:
        """Return the changes of a text that are still to be tried; the first ``tried`` of its order are done."""
        if not self.left(one, place, tried):
            return []
        state = one.state(place)
        seed = self.seeds.of(state.case, state.step, place)
        return [Idea(place, action, seed) for action in self.actions.ordered(state, seed)[tried:]]

    def left(self, one: CaseSearch, place: int, tried: int) -> int:
        """Return how many changes of a text are still to be tried."""
        state = one.state(place)
        if one.failed(place) or state.step >= self.depth:
            return 0
        return len(self.actions.of_state(state)) - tried

    def can_grow(self, one: CaseSearch, children: Sequence[Sequence[int]]) -> list[bool]:
        """Return for each text whether it, or a text below it, has a change that is still to be tried."""
        found = [self.left(one, place, len(own)) > 0 for place, own in enumerate(children)]
        for place in range(len(found) - 1, -1, -1):  # a text stands after the one that it was changed from
            found[place] = found[place] or any(found[child] for child in children[place])
        return found


def subtree_means(one: CaseSearch) -> tuple[list[int], list[float]]:
    """Return for each text how many texts its subtree has, itself included, and their mean gain in SD."""
    visits, totals = [1] * len(one), [one.gain(place) for place in range(len(one))]
    for place in range(len(one) - 1, 0, -1):
        parent = one.parent(place)
        visits[parent] += visits[place]
        totals[parent] += totals[place]
    return visits, [total / count for total, count in zip(totals, visits, strict=True)]
