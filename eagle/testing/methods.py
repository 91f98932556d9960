"""What every method has to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eagle.actions.candidate_list import CandidateList
from eagle.config import UtilityConfig, parse_config
from eagle.core.project import Project
from eagle.core.seeding import derive_seed
from eagle.environment.branching import BranchingEnvironment
from eagle.environment.rewrite import Rewrite
from eagle.environment.steering import Case
from eagle.latent.space import LatentSpace
from eagle.latent.text_utility import TextUtility
from eagle.latent.utilities import fit_utility
from eagle.methods.base import Method, Seeds, Trajectory
from eagle.methods.context import MethodContext
from eagle.training.setup import TrainingData
from eagle.training.steps import CachedSteps

GENRES = ("comedy", "crime", "romance", "war")
ACTIONS = ("Make it a comedy.", "Add a crime.", "Add a romance.", "Set it in a war.", "Move it to Paris.")
USERS = ("u0", "u1", "u2")
ANCHORS = ("i0", "i1", "i2")
BUDGET = 4


def tell(genre: str, plot: str) -> str:
    """Return a description of one genre."""
    return f"Genres: {genre}. Plot: {plot}"


class GenreCounts:
    """A text's point: how often each genre's word stands in it, (n, 4)."""

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        """Return (n, 4) float32."""
        counts = [[text.lower().count(genre) for genre in GENRES] for text in texts]
        return np.array(counts, np.float32).reshape(len(texts), len(GENRES))


@dataclass
class PlantedWriter:
    """Adds the action and a number from the seed to the plot; a share ``failing`` of the requests fails."""

    failing: float = 0.0

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
        """Return one answer per request; it depends on the request alone."""
        return [self._one(*request) for request in zip(texts, actions, seeds, strict=True)]

    def _one(self, text: str, action: str, seed: int) -> Rewrite:
        if np.random.default_rng(seed).random() < self.failing:
            return Rewrite(None, "cut off")
        return Rewrite(f"{text} {action} {seed % 1000}.")


def method_context(root: Path) -> MethodContext:
    """Return a small world: users who like one genre each, actions that add one, nothing on disk."""
    texts = {item: tell(GENRES[n], "A stranger comes to the old house.") for n, item in enumerate(ANCHORS)}
    points = GenreCounts().encode(list(texts.values()), [None] * len(ANCHORS))
    every = np.ones(len(ANCHORS), bool)
    tastes = np.eye(len(GENRES), dtype=np.float32)[: len(USERS)] * 2 - 0.5
    latent = LatentSpace(list(ANCHORS), points, list(USERS), tastes, dict.fromkeys(ANCHORS), every, every)
    settings = UtilityConfig(neighbours=1)
    steps = _steps(texts, dict(zip(ANCHORS, points, strict=True)))
    data = TrainingData(
        latent=latent,
        steps=steps,
        validation_steps=steps,
        candidates=CandidateList(ACTIONS, dict.fromkeys(ANCHORS, ACTIONS), dict.fromkeys(ANCHORS, "train")),
        profiles={user: f"User likes {GENRES[n]}. Dislikes {GENRES[n - 1]}." for n, user in enumerate(USERS)},
        users={"train": list(USERS), "validation": list(USERS), "test": list(USERS)},
        utility=fit_utility(latent, settings),
        profile_table=pd.DataFrame(
            {
                "user": USERS,
                "split": "train",
                "liked": [[GENRES[n]] for n in range(len(USERS))],
                "disliked": [[GENRES[n - 1]] for n in range(len(USERS))],
            }
        ),
    )
    return MethodContext(parse_config({"evaluate": {"horizon": 3}}), Project(root), data, USERS, FirstUnused)


def _steps(texts: dict[str, str], places: dict[str, np.ndarray]) -> CachedSteps:
    rows = [
        {"row": n, "anchor": anchor, "state": anchor, "state_text": text, "step": 1, "history": [], "action": action}
        | {"next_text": f"{text} {action}"}
        for n, (anchor, text, action) in enumerate((a, t, x) for a, t in texts.items() for x in ACTIONS)
    ]
    table = pd.DataFrame(rows)
    vectors = GenreCounts().encode(table["next_text"].tolist(), [None] * len(table))
    return CachedSteps.from_tables(table, vectors, [str(row) for row in table["row"]], places)


@dataclass(frozen=True)
class FirstUnused:
    """Stands for any language-model arm: it writes the actions of the list in turn, from a place that its seed says."""

    name: str

    def act(self, observations: Sequence[object], seeds: Sequence[int]) -> list[str]:
        """Return one action per observation."""
        return [ACTIONS[derive_seed(seed, "act") % len(ACTIONS)] for seed in seeds]


class MethodContract:
    """Override the fixture ``method_kind``: what ``evaluate.methods`` names, called with a :class:`MethodContext`."""

    @pytest.fixture
    def method_kind(self) -> Callable[[MethodContext], Method]:
        raise NotImplementedError("override the fixture method_kind: return your class or function")

    @pytest.fixture
    def context(self, tmp_path: Path) -> MethodContext:
        return method_context(tmp_path)

    @pytest.fixture
    def cases(self, context: MethodContext) -> list[Case]:
        """Every anchor for every user, numbered from 10 on: a case's number is not its place."""
        pairs = [(anchor, user) for anchor in context.candidates.splits for user in context.users]
        text = "A stranger comes to the old house."
        return [
            Case(10 + n, anchor, user, tell(GENRES[n % 4], text), 1990 if n % 2 else None)
            for n, (anchor, user) in enumerate(pairs)
        ]

    @pytest.fixture
    def utility(self, context: MethodContext) -> TextUtility:
        return TextUtility(GenreCounts(), context.data.utility)

    def play(
        self,
        method_kind: Callable[[MethodContext], Method],
        context: MethodContext,
        cases: Sequence[Case],
        utility: TextUtility,
        *,
        budget: int = BUDGET,
        seed: int = 7,
        failing: float = 0.0,
    ) -> tuple[list[Trajectory], BranchingEnvironment]:
        """Open the method and run it; return what it did and what it spent."""
        environment = BranchingEnvironment(PlantedWriter(failing), seed, budget)
        return method_kind(context).run(cases, budget, Seeds(seed), environment, utility), environment

    def test_it_is_a_method_with_a_name(
        self, method_kind: Callable[[MethodContext], Method], context: MethodContext
    ) -> None:
        method = method_kind(context)
        assert isinstance(method, Method), f"{type(method).__name__} has no name or no run"
        assert method.name and "," not in method.name, f"a name of tables is needed, got {method.name!r}"

    def test_cases_come_back_in_order(
        self,
        method_kind: Callable[[MethodContext], Method],
        context: MethodContext,
        cases: list[Case],
        utility: TextUtility,
    ) -> None:
        for given in (cases, cases[::-1], cases[:1], []):
            found, _ = self.play(method_kind, context, given, utility)
            assert [trajectory.case for trajectory in found] == given, "return one trajectory per case, in their order"
            own = {(t.case.case, c.case) for t in found for c in t.candidates if c.case != t.case.case}
            assert not own, f"candidates under another case's number: {sorted(own)}"

    @pytest.mark.parametrize("budget", [1, 2, BUDGET, 10])
    def test_the_budget_is_respected_and_every_text_told(
        self,
        method_kind: Callable[[MethodContext], Method],
        context: MethodContext,
        cases: list[Case],
        utility: TextUtility,
        budget: int,
    ) -> None:
        found, environment = self.play(method_kind, context, cases, utility, budget=budget)
        for trajectory in found:
            spent, told = environment.spent[trajectory.case.case], len(trajectory.candidates)
            assert spent <= budget, f"case {trajectory.case.case} got {spent} texts of {budget}"
            assert told == spent, f"case {trajectory.case.case} asked for {spent} texts and tells of {told}"

    def test_every_accepted_text_is_a_candidate_and_the_steps_are_whole(
        self,
        method_kind: Callable[[MethodContext], Method],
        context: MethodContext,
        cases: list[Case],
        utility: TextUtility,
    ) -> None:
        for trajectory in self.play(method_kind, context, cases, utility)[0]:
            steps = [candidate.step for candidate in trajectory.accepted]
            assert steps == list(range(1, len(steps) + 1)), f"accept one candidate per step, from 1 on; got {steps}"
            places = [(candidate.step, candidate.draw) for candidate in trajectory.candidates]
            assert len(places) == len(set(places)), "two candidates of one step have the same number of the draw"
            assert all(candidate.text.strip() and candidate.action.strip() for candidate in trajectory.candidates), (
                "a candidate without text or action"
            )

    def test_the_same_seeds_give_the_same_trajectories(
        self,
        method_kind: Callable[[MethodContext], Method],
        context: MethodContext,
        cases: list[Case],
        utility: TextUtility,
    ) -> None:
        first, again = (self.play(method_kind, context, cases, utility)[0] for _ in range(2))
        assert first == again, "two runs with the same seeds differ: take every draw from the seeds given"

    def test_a_case_does_not_depend_on_its_neighbours(
        self,
        method_kind: Callable[[MethodContext], Method],
        context: MethodContext,
        cases: list[Case],
        utility: TextUtility,
    ) -> None:
        together = self.play(method_kind, context, cases, utility)[0]
        alone = [self.play(method_kind, context, [case], utility)[0][0] for case in cases]
        assert together == alone, "a case has another trajectory where it stands alone"

    @pytest.mark.parametrize("failing", [0.4, 1.0])
    def test_failures_are_data(
        self,
        method_kind: Callable[[MethodContext], Method],
        context: MethodContext,
        cases: list[Case],
        utility: TextUtility,
        failing: float,
    ) -> None:
        found, _ = self.play(method_kind, context, cases, utility, failing=failing)
        failed = [c for t in found for c in t.candidates if c.cause is not None]
        assert failed, "a text that could not be written should be a candidate with a cause"
        if failing == 1.0:
            texts = {t.case.text: t.text for t in found}
            assert all(before == after for before, after in texts.items()), "where all fails, the anchor's text stays"
