"""A world of words: an action adds its word to a text, and U is planted on the words that a text has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np

from eagle.actions.candidate_list import CandidateList
from eagle.environment.branching import BranchingEnvironment, Change
from eagle.environment.rewrite import Rewrite
from eagle.environment.steering import Case
from eagle.methods.base import Method, Seeds, Trajectory
from eagle.methods.search_tree import SearchTree
from eagle.methods.searches.growing import CaseSearch

Words = tuple[str, ...]
CASES = [Case(20 + n, f"i{n % 2}", f"u{n % 3}", "Start.", None) for n in range(5)]


def words(text: str) -> Words:
    """Return what was added to a text, in order."""
    return tuple(text.split(" ")[1:])


def listed(*actions: str) -> CandidateList:
    """Return a list of actions that all anchors share."""
    return CandidateList(actions, {}, {})


@dataclass
class AddingWriter:
    """Adds the action to the text; ``failing`` actions fail. ``asked``: the requests of each call."""

    failing: frozenset[str] = frozenset()
    asked: list[list[tuple[str, str, int]]] = field(default_factory=list)

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
        self.asked.append(list(zip(texts, actions, seeds, strict=True)))
        return [
            Rewrite(None, "cut off") if action in self.failing else Rewrite(f"{text} {action}")
            for text, action in zip(texts, actions, strict=True)
        ]


@dataclass(frozen=True)
class PlantedUtility:
    """U and eligibility by what was added to a text; the encoder counts letters a, b, c and d."""

    utility: Callable[[Words], float]
    eligible: Callable[[Words], bool] = lambda said: True

    @property
    def encoder(self) -> PlantedUtility:
        return self

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        counts = [[words(text).count(letter) for letter in "abcd"] for text in texts]
        return np.array(counts, np.float32).reshape(len(texts), 4)

    def __call__(self, texts: Sequence[str], years: Sequence[int | None], users: Sequence[str]) -> np.ndarray:
        return np.array([self.utility(words(text)) for text in texts])

    def value(
        self,
        texts: Sequence[str],
        years: Sequence[int | None],
        users: Sequence[str],
        made_from: Sequence[str] | None = None,
    ) -> SimpleNamespace:
        return SimpleNamespace(
            utility=self(texts, years, users),
            eligible=np.array([self.eligible(words(text)) for text in texts], bool),
        )


def play(
    method: Method, utility: PlantedUtility, budget: int, *, seed: int = 7, writer: AddingWriter | None = None
) -> list[Trajectory]:
    """Run a method on :data:`CASES`."""
    environment = BranchingEnvironment(writer or AddingWriter(), seed, budget)
    return method.run(CASES, budget, Seeds(seed), environment, utility)  # type: ignore[arg-type]


def answers(found: Sequence[Trajectory]) -> set[Words]:
    """Return what all cases came to."""
    return {words(trajectory.text) for trajectory in found}


def grown(rows: Sequence[tuple[str, int, float, bool]]) -> CaseSearch:
    """Return a case whose candidates are ``rows``: text, place of the parent, gain and eligibility."""
    root = BranchingEnvironment.start(CASES[0])
    one = CaseSearch(SearchTree(CASES[0], root), 0.0)
    for text, parent, gain, eligible in rows:
        one.tree.add(Change(replace(one.state(parent), text=text)), "act", 0, parent - 1 if parent else None)
        one.tree.nodes[-1] = replace(one.tree.nodes[-1], utility=gain, eligible=eligible)
    return one
