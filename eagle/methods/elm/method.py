"""ELM as a method: the latent optimum near the anchor, decoded as often as the budget allows, the best text kept.

1. Follows EAGLE's paper in what it compares with: the optimum is sought in the latent space, for the case's user, and
   decoded by ELM.
2. Ours: best of N, as every method has it. All texts of a case are decodings of the one optimum with different seeds,
   and each counts as one text of the budget, though the environment wrote none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from eagle.core.seeding import stream
from eagle.environment.branching import BranchingEnvironment, changes
from eagle.environment.steering import Case
from eagle.latent.text_utility import TextUtility
from eagle.latent.utilities import finite
from eagle.methods.base import Seeds, Trajectory
from eagle.methods.context import MethodContext
from eagle.methods.elm.decoder import Decoder, PointWriter
from eagle.methods.elm.fitting import open_model
from eagle.methods.elm.latent_optimum import Manifold
from eagle.methods.elm.stored import read_note
from eagle.methods.search_tree import SearchTree, value

ACTION = "Decode the best point near the anchor."
"""What stands as the action of every candidate: nobody wrote one."""


@dataclass(frozen=True)
class ElmMethod:
    """Decodes with ``writer`` the best points of ``manifold`` within ``radius`` of the anchors."""

    writer: PointWriter
    manifold: Manifold
    radius: float
    name: str = "elm"

    def run(
        self,
        cases: Sequence[Case],
        budget: int,
        seeds: Seeds,
        environment: BranchingEnvironment,
        utility: TextUtility,
    ) -> list[Trajectory]:
        """Return one trajectory of one step per case: ``budget`` decodings, the best of them accepted."""
        trees = [SearchTree(case, environment.start(case)) for case in cases]
        asked = [(tree, seeds.of(tree.case.case, 0, draw)) for tree in trees for draw in range(budget)]
        environment.charge([tree.case.case for tree, _ in asked])
        points = np.repeat(self.optima(cases, seeds, utility), budget, axis=0)
        written = self.writer.write(points, [seed for _, seed in asked])
        found = changes([tree.root for tree, _ in asked], [ACTION] * len(asked), written)
        for (tree, seed), change in zip(asked, found, strict=True):
            tree.add(change, ACTION, seed, None)
        value(trees, [0] * len(trees), utility)
        return [tree.trajectory() for tree in trees]

    def optima(self, cases: Sequence[Case], seeds: Seeds, utility: TextUtility) -> np.ndarray:
        """Return the point (n, d) that is decoded for each case: of those new enough the one of highest U."""
        anchors = utility.encoder.encode([case.text for case in cases], [case.year for case in cases])
        found = [
            self.manifold.best(
                anchor, partial(_worth, utility, case.user), self.radius, stream(seeds.seed, "elm", "optimum")
            )
            for case, anchor in zip(cases, anchors, strict=True)
        ]
        return np.stack(found) if found else np.zeros((0, len(self.manifold.middle)))


def _worth(utility: TextUtility, user: str, points: np.ndarray) -> np.ndarray:
    """Return U (n,) of points (n, d) for a user; -inf where they are too near to what exists."""
    worth = finite(utility.utility(points, [user] * len(points)))
    return np.where(utility.utility.new_enough(points), worth, -np.inf)


def elm(context: MethodContext) -> ElmMethod:
    """Open the method of a project; EagleError where its adapter has no weights, or not those for this encoder."""
    note = read_note(context.project)
    latent = context.latent
    writer = Decoder.over(open_model(context.config, context.project), context.config, context.project)
    return ElmMethod(writer, Manifold.of(latent.item_vectors[latent.train_items]), note.radius)
