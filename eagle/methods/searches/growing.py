"""What all searches share: the texts of a case, and one call that writes for all cases.

1. Place 0 of a case is the anchor's own text: it costs nothing and is no candidate. Its candidates follow.
2. A text that failed or is not eligible has gain 0, that of the anchor's text: it is no success and no loss.
3. A search decides from what its case has so far and from named seeds, not from the budget. So its first b texts are
   what it would do with a budget of b.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eagle.environment.branching import BranchingEnvironment
from eagle.environment.steering import Case, Observation
from eagle.latent.text_utility import TextUtility
from eagle.methods.base import Seeds, Trajectory
from eagle.methods.search import Asked, write
from eagle.methods.search_tree import SearchTree


@dataclass(frozen=True)
class Idea:
    """A change to ask for: of the text in place ``parent`` by ``action``, which was drawn with ``seed``."""

    parent: int
    action: str
    seed: int


@dataclass
class CaseSearch:
    """The texts of one case by their places. ``utility``: U of the anchor's text, SD."""

    tree: SearchTree
    utility: float
    last_round: int = 1
    """Place of the first text of the last round."""

    def __len__(self) -> int:
        """Return how many texts there are, the anchor's included."""
        return 1 + len(self.tree.nodes)

    @property
    def written(self) -> int:
        """How many texts the environment wrote."""
        return len(self.tree.nodes)

    def state(self, place: int) -> Observation:
        """Return the state that a text is of."""
        return self.tree.state(node_of(place))

    def parent(self, place: int) -> int:
        """Return the place of the text that this one was changed from; the anchor's has none."""
        parent = self.tree.nodes[place - 1].parent
        return 0 if parent is None else parent + 1

    def eligible(self, place: int) -> bool:
        """Say whether a text may be the answer; the anchor's may not."""
        return place > 0 and self.tree.nodes[place - 1].eligible

    def failed(self, place: int) -> bool:
        """Say whether the text could not be written."""
        return place > 0 and self.tree.nodes[place - 1].candidate.cause is not None

    def gain(self, place: int) -> float:
        """Return U less that of the anchor's text, in SD; 0 where the text is not eligible."""
        return self.tree.nodes[place - 1].utility - self.utility if self.eligible(place) else 0.0

    def children(self) -> list[list[int]]:
        """Return for each text the places of those that it was changed into."""
        found: list[list[int]] = [[] for _ in range(len(self))]
        for place in range(1, len(self)):
            found[self.parent(place)].append(place)
        return found

    def asked(self) -> Counter[tuple[str, str]]:
        """Return how often each (text, action) was asked."""
        return self.tree.asked()

    def seed(self, seeds: Seeds, more: int = 0) -> int:
        """Return the seed with which everything about the next text is drawn, or about the one ``more`` texts later."""
        return seeds.of(self.tree.case.case, 0, self.written + more)


def node_of(place: int) -> int | None:
    """Return a place as the tree of candidates counts: None for the anchor's text."""
    return place - 1 if place else None


Propose = Callable[[Sequence[CaseSearch], Sequence[int]], list[list[Idea]]]
"""Returns each case's next ideas, at most as many as it has room for; where no case has one, the search ends."""


def grow(
    cases: Sequence[Case],
    budget: int,
    environment: BranchingEnvironment,
    utility: TextUtility,
    propose: Propose,
) -> list[Trajectory]:
    """Write what ``propose`` asks for, round by round and for all cases together, until it asks for nothing."""
    roots = [environment.start(case) for case in cases]
    values = utility([root.text for root in roots], [root.year for root in roots], [root.user for root in roots])
    searches = [
        CaseSearch(SearchTree(case, root), float(worth)) for case, root, worth in zip(cases, roots, values, strict=True)
    ]
    while True:
        rooms = [min(budget - one.written, environment.left(one.tree.case.case)) for one in searches]
        ideas = propose(searches, rooms)
        if not any(ideas):
            return [one.tree.trajectory() for one in searches]
        _write(searches, ideas, environment, utility)


def _write(
    searches: Sequence[CaseSearch],
    ideas: Sequence[Sequence[Idea]],
    environment: BranchingEnvironment,
    utility: TextUtility,
) -> None:
    asked = [
        Asked(number, node_of(idea.parent), one.state(idea.parent), idea.seed)
        for number, (one, own) in enumerate(zip(searches, ideas, strict=True))
        for idea in own
    ]
    for one in searches:
        one.last_round = len(one)
    write([one.tree for one in searches], asked, [idea.action for own in ideas for idea in own], environment, utility)


class GrowingMethod(ABC):
    """A method whose cases grow each by itself: a subclass says what one case asks for next."""

    def run(
        self,
        cases: Sequence[Case],
        budget: int,
        seeds: Seeds,
        environment: BranchingEnvironment,
        utility: TextUtility,
    ) -> list[Trajectory]:
        """Return one trajectory per case; its way leads to the best eligible text."""

        def propose(searches: Sequence[CaseSearch], rooms: Sequence[int]) -> list[list[Idea]]:
            return [self.ideas(one, room, seeds) for one, room in zip(searches, rooms, strict=True)]

        return grow(cases, budget, environment, utility, propose)

    @abstractmethod
    def ideas(self, one: CaseSearch, room: int, seeds: Seeds) -> list[Idea]:
        """Return at most ``room`` changes to ask for next; none ends this case."""
