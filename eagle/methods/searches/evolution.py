"""Evolution of texts: the environment's language model mutates and crosses them, and U selects.

1. Follows the idea surveyed in arXiv 2401.10510: a language model is the operator of mutation and of crossover.
2. Mutation applies a random listed action. Crossover applies an action that asks for what the other parent is about.
   Both are changes by the same environment, so budget, seeds, checks and caching are those of all methods.
3. Plus-selection: in each generation the best of all texts so far survive, the anchor's text (gain 0) among them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eagle.methods.base import Seeds
from eagle.methods.searches.growing import CaseSearch, GrowingMethod, Idea
from eagle.methods.searches.mutation import Mutation


@dataclass(frozen=True)
class Evolution(GrowingMethod):
    """``population`` survivors have ``children`` children a generation, a share ``crossed`` of them by crossover.

    ``crossing``: the action that brings a text's essence into another. A population of one only mutates.
    """

    mutation: Mutation
    crossing: Callable[[str], str]
    population: int = 4
    children: int = 4
    crossed: float = 0.5
    name: str = "evolution"

    def ideas(self, one: CaseSearch, room: int, seeds: Seeds) -> list[Idea]:
        """Return a generation's children; the way to a crossed text goes along the first parents."""
        alive = survivors(one, self.population)
        ideas: list[Idea] = []
        for more in range(min(room, self.children)):
            seed = one.seed(seeds, more)
            rng = np.random.default_rng(seed)
            if len(alive) > 1 and rng.random() < self.crossed:
                first, second = rng.choice(alive, 2, replace=False).tolist()
                ideas.append(Idea(first, self.crossing(one.state(second).text), seed))
            else:
                parent = alive[int(rng.integers(len(alive)))] if len(alive) > 1 else alive[0]
                ideas.append(self.mutation.draw(one, parent, seed, rng, ideas))
        return ideas


def survivors(one: CaseSearch, most: int) -> list[int]:
    """Return the places of the ``most`` best texts, best first: eligible ones and the anchor's; equal texts once."""
    places = [place for place in range(len(one)) if place == 0 or one.eligible(place)]
    by_text: dict[str, int] = {}
    for place in sorted(places, key=lambda p: -one.gain(p)):
        by_text.setdefault(one.state(place).text, place)
    return list(by_text.values())[:most]
