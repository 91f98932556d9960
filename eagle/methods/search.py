"""Search with an agent: several actions are drawn in every step, and the best text is gone on from.

1. Ours: one draw leaves little to win over a rule, several draws with the best text kept leave much (docs/method.md).
2. The budget is divided evenly over the steps; the first steps get what is left over.
3. ``beam`` texts are gone on from, which share a step's draws. A text is gone on from again where no change of it is
   better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from eagle.environment.branching import BranchingEnvironment
from eagle.environment.steering import Case, Observation
from eagle.latent.text_utility import TextUtility
from eagle.methods.base import Seeds, Trajectory
from eagle.methods.search_tree import SearchTree, value
from eagle.policies.base import Agent


def draws_by_step(budget: int, steps: int) -> list[int]:
    """Return how many texts each step gets, none where the budget has no room for a step."""
    each, more = divmod(budget, steps)
    return [draws for number in range(steps) if (draws := each + (number < more))]


@dataclass(frozen=True)
class Asked:
    """One text that is asked for: the tree, the node that is changed, the state there, and the seed of the action."""

    tree: int
    parent: int | None
    state: Observation
    seed: int


@dataclass(frozen=True)
class Search:
    """Draws actions from ``agent`` for ``steps`` changes at most, ``beam`` texts wide."""

    agent: Agent
    name: str
    steps: int = 1
    beam: int = 1

    def run(
        self,
        cases: Sequence[Case],
        budget: int,
        seeds: Seeds,
        environment: BranchingEnvironment,
        utility: TextUtility,
    ) -> list[Trajectory]:
        """Return one trajectory per case, which ends at the best eligible text, or accepts nothing where none is."""
        trees = [SearchTree(case, environment.start(case)) for case in cases]
        for step, draws in enumerate(draws_by_step(budget, self.steps)):
            asked = [one for number, tree in enumerate(trees) for one in self._asked(number, tree, step, draws, seeds)]
            actions = self.agent.act([one.state for one in asked], [one.seed for one in asked])
            write(trees, asked, actions, environment, utility)
        return [tree.trajectory() for tree in trees]

    def _asked(self, number: int, tree: SearchTree, step: int, draws: int, seeds: Seeds) -> list[Asked]:
        parents = tree.ranked(self.beam, self.steps)
        return [
            Asked(
                number,
                parent := parents[draw % len(parents)],
                tree.state(parent),
                seeds.of(tree.case.case, step, draw),
            )
            for draw in range(draws)
        ]


def write(
    trees: Sequence[SearchTree],
    asked: Sequence[Asked],
    actions: Sequence[str],
    environment: BranchingEnvironment,
    utility: TextUtility,
) -> None:
    """Let the environment write all texts asked for, one for each of ``actions``; add them to their trees, valued."""
    before = [len(tree.nodes) for tree in trees]
    changes = environment.apply([one.state for one in asked], actions, repeats(trees, asked, actions))
    for one, action, change in zip(asked, actions, changes, strict=True):
        trees[one.tree].add(change, action, one.seed, one.parent)
    value(trees, before, utility)


def repeats(trees: Sequence[SearchTree], asked: Sequence[Asked], actions: Sequence[str]) -> list[int]:
    """Return, for each text asked for, how often its case has asked for this action on this text before.

    That number is part of the text's seed: the k-th time anybody asks, the same text comes.
    """
    seen: dict[int, Counter[tuple[str, str]]] = {}
    numbers = []
    for one, action in zip(asked, actions, strict=True):
        if one.tree not in seen:
            seen[one.tree] = trees[one.tree].asked()
        key = (one.state.text, action)
        numbers.append(seen[one.tree][key])
        seen[one.tree][key] += 1
    return numbers
