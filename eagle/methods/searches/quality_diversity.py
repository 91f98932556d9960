"""Quality diversity: many different good texts of a case, of which the best is the answer.

1. MAP-Elites (Mouret & Clune 2015) with a CVT archive over the latent space, by pyribs; U is the quality.
2. An emitter says which action to apply to a text drawn from the archive: a random listed one, or an agent's.
3. The anchor's text may be drawn in every round, but holds no region: it is no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from eagle.environment.branching import BranchingEnvironment
from eagle.environment.steering import Case
from eagle.latent.text_utility import TextUtility
from eagle.methods.base import Seeds, Trajectory
from eagle.methods.searches.archive import ArchiveFigures, TextArchive
from eagle.methods.searches.growing import CaseSearch, Idea, grow
from eagle.methods.searches.mutation import Mutation

if TYPE_CHECKING:
    from eagle.policies.base import Agent

Parents = Sequence[Sequence[int]]
"""For each case the places of the texts to change."""


class Emitter(Protocol):
    """Says how texts are changed."""

    def emit(self, searches: Sequence[CaseSearch], parents: Parents, seeds: Seeds) -> list[list[Idea]]:
        """Return one change for each parent of each case."""
        ...


@dataclass(frozen=True)
class MutationEmitter:
    """Random listed actions."""

    mutation: Mutation

    def emit(self, searches: Sequence[CaseSearch], parents: Parents, seeds: Seeds) -> list[list[Idea]]:
        """Draw an action for each parent."""
        return [self._of_case(one, own, seeds) for one, own in zip(searches, parents, strict=True)]

    def _of_case(self, one: CaseSearch, parents: Sequence[int], seeds: Seeds) -> list[Idea]:
        ideas: list[Idea] = []
        for more, parent in enumerate(parents):
            seed = one.seed(seeds, more)
            ideas.append(self.mutation.draw(one, parent, seed, np.random.default_rng(seed), ideas))
        return ideas


@dataclass(frozen=True)
class AgentEmitter:
    """The actions of an agent, asked once for all cases."""

    agent: Agent

    def emit(self, searches: Sequence[CaseSearch], parents: Parents, seeds: Seeds) -> list[list[Idea]]:
        """Let the agent choose an action for each parent."""
        asked = [
            [(one.state(parent), one.seed(seeds, more)) for more, parent in enumerate(own)]
            for one, own in zip(searches, parents, strict=True)
        ]
        together = [pair for own in asked for pair in own]
        states, drawn = [state for state, _ in together], [seed for _, seed in together]
        actions = iter(self.agent.act(states, drawn) if together else ())
        return [
            [Idea(parent, next(actions), seed) for parent, (_, seed) in zip(places, own, strict=True)]
            for places, own in zip(parents, asked, strict=True)
        ]


@dataclass(frozen=True)
class QualityDiversity:
    """Changes ``batch`` texts of each case a round. ``centroids`` (regions, d): centres of the archive's regions.

    ``archives``: case -> how full its archive was at the end of the last run.
    """

    name: str
    emitter: Emitter
    centroids: np.ndarray
    batch: int = 4
    archives: dict[int, ArchiveFigures] = field(default_factory=dict)

    def run(
        self,
        cases: Sequence[Case],
        budget: int,
        seeds: Seeds,
        environment: BranchingEnvironment,
        utility: TextUtility,
    ) -> list[Trajectory]:
        """Return one trajectory per case; its way leads to the best eligible text."""
        archives = [TextArchive(self.centroids) for _ in cases]

        def propose(searches: Sequence[CaseSearch], rooms: Sequence[int]) -> list[list[Idea]]:
            self._fill(archives, searches, utility)
            parents = [
                self._parents(one, archive, min(room, self.batch), seeds)
                for one, archive, room in zip(searches, archives, rooms, strict=True)
            ]
            return self.emitter.emit(searches, parents, seeds)

        found = grow(cases, budget, environment, utility, propose)
        self.archives.clear()
        self.archives.update((case.case, archive.figures) for case, archive in zip(cases, archives, strict=True))
        return found

    def _fill(self, archives: Sequence[TextArchive], searches: Sequence[CaseSearch], utility: TextUtility) -> None:
        """Offer the texts of the last round to the archives; those that are not eligible are not offered."""
        new = [
            (archive, one, place)
            for archive, one in zip(archives, searches, strict=True)
            for place in range(one.last_round, len(one))
            if one.eligible(place)
        ]
        states = [one.state(place) for _, one, place in new]
        points = utility.encoder.encode([state.text for state in states], [state.year for state in states])
        for (archive, one, place), point in zip(new, np.asarray(points, np.float64), strict=True):
            archive.add(place, one.gain(place), point)

    def _parents(self, one: CaseSearch, archive: TextArchive, most: int, seeds: Seeds) -> list[int]:
        """Draw parents uniformly from the anchor's text and the archive."""
        alive = [0, *archive.elites]
        rngs = [np.random.default_rng([one.seed(seeds, more), 1]) for more in range(most)]
        return [alive[int(rng.integers(len(alive)))] for rng in rngs]
