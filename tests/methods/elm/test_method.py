"""ELM as a method: the contract with a planted decoder, what it decodes, and what it says where it cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from eagle.config import parse_config
from eagle.core.artifacts import read_json
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.environment.branching import BranchingEnvironment
from eagle.environment.rewrite import Rewrite
from eagle.environment.steering import Case
from eagle.latent.text_utility import TextUtility
from eagle.methods.base import Method, Seeds, Trajectory
from eagle.methods.context import MethodContext
from eagle.methods.elm import stage
from eagle.methods.elm.latent_optimum import Manifold
from eagle.methods.elm.method import ACTION, ElmMethod, elm
from eagle.testing.methods import BUDGET, GENRES, GenreCounts, MethodContract, PlantedWriter, method_context, tell


@dataclass(frozen=True)
class PlantedDecoder:
    """Names each genre as often as its coordinate says, and a number from the seed; a share ``failing`` fails."""

    failing: float = 0.0

    def write(self, points: np.ndarray, seeds: Sequence[int]) -> list[Rewrite]:
        """Return one answer per point."""
        return [self._one(point, seed) for point, seed in zip(points, seeds, strict=True)]

    def _one(self, point: np.ndarray, seed: int) -> Rewrite:
        if np.random.default_rng(seed).random() < self.failing:
            return Rewrite(None, "cut off")
        named = [genre for genre, times in zip(GENRES, point.round().astype(int), strict=True) for _ in range(times)]
        return Rewrite(tell("none", f"A story of {' and '.join(named)} number {seed % 1000}."))


def planted(context: MethodContext, failing: float = 0.0, radius: float = 3.0) -> ElmMethod:
    """Return the method in the context's world, in which genres go up to three."""
    items = np.random.default_rng(0).integers(0, 4, size=(50, len(GENRES)))
    return ElmMethod(PlantedDecoder(failing), Manifold.of(items), radius)


class TestElm(MethodContract):
    """The contract. ELM's texts are its decoder's, so that it is the decoder that fails here."""

    @pytest.fixture
    def method_kind(self) -> Callable[[MethodContext], Method]:
        return planted

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
        environment = BranchingEnvironment(PlantedWriter(), seed, budget)
        method = planted(context, failing)
        return method.run(cases, budget, Seeds(seed), environment, utility), environment


@pytest.fixture
def context(tmp_path: Path) -> MethodContext:
    return method_context(tmp_path)


def run(context: MethodContext, cases: Sequence[Case], budget: int = 3, radius: float = 3.0) -> list[Trajectory]:
    utility = TextUtility(GenreCounts(), context.data.utility)
    environment = BranchingEnvironment(PlantedWriter(), 7, budget)
    return planted(context, radius=radius).run(cases, budget, Seeds(7), environment, utility)


def test_each_user_gets_a_text_of_what_they_like(context: MethodContext) -> None:
    text = tell("none", "A stranger comes to the old house.")
    cases = [Case(n, "i0", user, text, None) for n, user in enumerate(context.users)]
    for liked, trajectory in enumerate(run(context, cases)):
        counts = GenreCounts().encode([trajectory.text], [None])[0]
        assert counts.argmax() == liked and counts[liked] > 0
        assert [c.action for c in trajectory.candidates] == [ACTION] * 3
        assert len({c.text for c in trajectory.candidates}) == 3  # one point, three seeds


def test_without_a_radius_the_anchor_is_decoded(context: MethodContext) -> None:
    case = Case(0, "i0", "u1", tell("comedy", "A stranger comes to the old house."), None)
    trajectory = run(context, [case], radius=0.0)[0]
    assert all("story of comedy number" in candidate.text for candidate in trajectory.candidates)


def test_an_adapter_without_weights_is_one_clear_message(tmp_path: Path) -> None:
    project = Project(tmp_path)
    stage.run(parse_config({}).only(("seed", "data", "domain", "elm", "llm")), project)
    assert read_json(project.stage_metrics("elm")) == {"trained": False}
    with pytest.raises(EagleError, match="without weights") as caught:
        elm(method_context(tmp_path))
    assert "elm.updates" in str(caught.value) and len(caught.value.problems) == 1


def test_an_adapter_that_was_never_made_is_said(tmp_path: Path) -> None:
    with pytest.raises(EagleError, match="does not exist"):
        elm(method_context(tmp_path))
