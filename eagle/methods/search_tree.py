"""The texts of a search, and the one rule by which it keeps one: the eligible text of highest utility, and no other.

A search writes candidates one after the other. Its answer at a smaller budget is the best of the first ones, so one run
answers for all smaller budgets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from eagle.environment.branching import Change
from eagle.environment.steering import Case, Observation
from eagle.latent.text_utility import TextUtility
from eagle.methods.base import Candidate, Trajectory


def best_eligible(utility: np.ndarray, eligible: np.ndarray) -> int | None:
    """Return the place of the eligible text with the highest utility, the first of equals; None where none is."""
    if not eligible.any():
        return None
    return int(np.argmax(np.where(eligible, utility, -np.inf)))


@dataclass(frozen=True)
class Node:
    """One text of a search. ``parent`` is the place of the node before it; None for a change of the anchor's text."""

    state: Observation
    candidate: Candidate
    parent: int | None
    utility: float
    eligible: bool


@dataclass
class SearchTree:
    """All texts that a search considered for one case, in the order in which they were written."""

    case: Case
    root: Observation
    nodes: list[Node] = field(default_factory=list)

    def add(self, change: Change, action: str, seed: int, parent: int | None) -> None:
        """Note one change under the next number of its step; :func:`value` says later what it is worth."""
        state = change.state
        number = sum(node.candidate.step == state.step for node in self.nodes)
        candidate = Candidate(
            state.case, state.step, number, action, state.text, change.cause, change.copied, seed, accepted=False
        )
        self.nodes.append(Node(state, candidate, parent, -np.inf, False))

    def state(self, place: int | None) -> Observation:
        """Return the state of a node; that of the anchor for None."""
        return self.root if place is None else self.nodes[place].state

    @property
    def best(self) -> int | None:
        """Place of the text to keep; None where no candidate is eligible."""
        return best_eligible(
            np.array([node.utility for node in self.nodes]),
            np.array([node.eligible for node in self.nodes], dtype=bool),
        )

    def ranked(self, most: int, deepest: int) -> list[int | None]:
        """Return at most ``most`` nodes to go on from, best first: eligible ones of fewer than ``deepest`` changes.

        Where there is none, the anchor.
        """
        places = [p for p, node in enumerate(self.nodes) if node.eligible and node.state.step < deepest]
        best = sorted(places, key=lambda p: -self.nodes[p].utility)[:most]
        return [*best] or [None]

    def asked(self) -> Counter[tuple[str, str]]:
        """Return how often each (text, action) was asked."""
        return Counter((self.state(node.parent).text, node.candidate.action) for node in self.nodes)

    def path(self, place: int | None) -> list[int]:
        """Return the places from the first change to this one."""
        found: list[int] = []
        while place is not None:
            found.append(place)
            place = self.nodes[place].parent
        return found[::-1]

    def trajectory(self) -> Trajectory:
        """Return all candidates; the way to the best one is accepted."""
        kept = set(self.path(self.best))
        candidates = [replace(node.candidate, accepted=place in kept) for place, node in enumerate(self.nodes)]
        return Trajectory(self.case, tuple(candidates))


def value(trees: Sequence[SearchTree], first: Sequence[int], utility: TextUtility) -> None:
    """Give the nodes of each tree from place ``first`` on what they are worth; all are valued together.

    A failed change is not eligible.
    """
    new = [(tree, place) for tree, start in zip(trees, first, strict=True) for place in range(start, len(tree.nodes))]
    if not new:
        return
    states = [tree.nodes[place].state for tree, place in new]
    made_from = [tree.case.text for tree, _ in new]
    found = utility.value([s.text for s in states], [s.year for s in states], [s.user for s in states], made_from)
    for (tree, place), worth, eligible in zip(new, found.utility, found.eligible, strict=True):
        node = tree.nodes[place]
        fine = bool(eligible) and node.candidate.cause is None
        tree.nodes[place] = replace(node, utility=float(worth), eligible=fine)
