"""Mutation: a random listed action of one text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eagle.actions.candidate_list import CandidateList, available
from eagle.methods.searches.growing import CaseSearch, Idea


@dataclass(frozen=True)
class Mutation:
    """Draws a listed action; with ``repeat`` one may come twice on the way to a text."""

    candidates: CandidateList
    repeat: bool = False

    def draw(self, one: CaseSearch, parent: int, seed: int, rng: np.random.Generator, others: Sequence[Idea]) -> Idea:
        """Return a change of text ``parent``: one of those that it was asked least often so far and in ``others``."""
        state = one.state(parent)
        listed = available(self.candidates.of(state.anchor), state.history, repeat=self.repeat)
        before, planned = one.asked(), [idea.action for idea in others if idea.parent == parent]
        asked = [before[state.text, action] + planned.count(action) for action in listed]
        seldom = [action for action, times in zip(listed, asked, strict=True) if times == min(asked)]
        return Idea(parent, seldom[int(rng.integers(len(seldom)))], seed)
