"""The seam of methods: the contract for what comes with the project and for one's own, and rows for the tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

from eagle.built_in.methods import EVERY_METHOD
from eagle.config.stages import STAGES
from eagle.core.errors import EagleError
from eagle.core.parts import load_part
from eagle.environment.branching import BranchingEnvironment
from eagle.environment.steering import Case, SteeringEnvironment
from eagle.latent.text_utility import TextUtility
from eagle.methods.acting import LocalAgents
from eagle.methods.agent_method import AgentMethod
from eagle.methods.base import Candidate, Method, Seeds, Trajectory
from eagle.methods.context import MethodContext
from eagle.methods.fixed_best import FixedBest
from eagle.methods.open import open_method
from eagle.methods.rollout import roll_out
from eagle.methods.rules import RandomActions
from eagle.methods.running import candidate_rows, run_method, trajectory_rows
from eagle.methods.softmax_fit import fit_softmax_policy
from eagle.testing.methods import FirstUnused, GenreCounts, MethodContract, PlantedWriter, method_context
from eagle.training.setup import load_training_data
from tests.end_to_end.own_method import BestOfTwo
from tests.training.project_files import build_project, config

CASES = [Case(n, f"i{n % 3}", f"u{n % 2}", f"Genres: war. Plot: Story {n}.", None) for n in range(6)]


@pytest.fixture(scope="module")
def on_files(tmp_path_factory: pytest.TempPathFactory) -> MethodContext:
    """The context of a project on disk, which some of the built-in methods read, with the parameters that the stage
    evaluate may read.
    """
    project = build_project(tmp_path_factory.mktemp("methods") / "root")
    settings = config().only(next(stage.sections for stage in STAGES if stage.name == "evaluate"))
    return MethodContext(settings, project, load_training_data(settings.utility, project), ("u6", "u7"), FirstUnused)


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind) for kind in EVERY_METHOD if kind != "elm"])
class TestBuiltIn(MethodContract):
    """Every method of the table whose texts the environment writes; tests/methods/elm has the one of the others."""

    @pytest.fixture
    def method_kind(self, kind: str) -> Callable[[MethodContext], Method]:
        return load_part("method", kind, EVERY_METHOD)  # type: ignore[no-any-return]

    @pytest.fixture
    def context(self, on_files: MethodContext) -> MethodContext:
        return on_files

    @pytest.fixture
    def utility(self, on_files: MethodContext) -> TextUtility:
        return TextUtility(GenreCounts(), on_files.data.utility)


class TestPolicy(MethodContract):
    """An arm in which a language model acts, as a method."""

    @pytest.fixture
    def method_kind(self) -> Callable[[MethodContext], Method]:
        return lambda context: AgentMethod(context.agent("eagle_g_optimal"), context.horizon)


class TestSearch(MethodContract):
    """One's own."""

    @pytest.fixture
    def method_kind(self) -> Callable[[MethodContext], Method]:
        return BestOfTwo


class Overspends:
    """Asks for one text more than it may."""

    name = "overspends"

    def __init__(self, context: MethodContext) -> None: ...

    def run(
        self, cases: Sequence[Case], budget: int, seeds: Seeds, environment: BranchingEnvironment, utility: TextUtility
    ) -> list[Trajectory]:
        states = [environment.start(case) for case in cases]
        for _ in range(budget + 1):
            environment.apply(states, ["Add a war."] * len(states))
        return []


def test_more_texts_than_the_budget_are_refused(tmp_path: Path) -> None:
    context = method_context(tmp_path)
    utility = TextUtility(GenreCounts(), context.data.utility)
    with pytest.raises(RuntimeError, match="budget of 2 texts"):
        run_method(Overspends(context), CASES, 2, 7, PlantedWriter(), utility)


class Told:
    """Returns what it is told to."""

    name = "told"

    def __init__(self, trajectories: list[Trajectory]) -> None:
        self.trajectories = trajectories

    def run(
        self, cases: Sequence[Case], budget: int, seeds: Seeds, environment: BranchingEnvironment, utility: TextUtility
    ) -> list[Trajectory]:
        return self.trajectories


@pytest.mark.parametrize(
    ("steps", "message"), [(None, "does not return the cases"), ([2], "accepts no trajectory"), ([1, 1], "steps")]
)
def test_a_method_that_breaks_its_contract_is_named(tmp_path: Path, steps: list[int] | None, message: str) -> None:
    utility = TextUtility(GenreCounts(), method_context(tmp_path).data.utility)
    found = [Candidate(0, step, draw, "Add a war.", "x") for draw, step in enumerate(steps or [])]
    told = Told([] if steps is None else [Trajectory(CASES[0], tuple(found))])
    with pytest.raises(EagleError, match=message) as caught:
        run_method(told, CASES[:1], 3, 7, PlantedWriter(), utility)
    assert "told" in str(caught.value)


def test_an_agent_alone_does_what_it_does_beside_others(tmp_path: Path) -> None:
    """Twins: a method by itself, and the lockstep run of all arms."""
    context = method_context(tmp_path)
    writer, encoder, utility = PlantedWriter(0.3), GenreCounts(), context.data.utility
    agents = [
        RandomActions(context.candidates),
        FixedBest.fit(context.data.steps, utility, context.candidates, ["u0", "u1"]),
    ]
    together, _ = roll_out(SteeringEnvironment(writer, encoder, utility), CASES, LocalAgents(agents), 3, 7)
    for agent in agents:
        ran = run_method(AgentMethod(agent, 3), CASES, 3, 7, writer, TextUtility(encoder, utility))
        alone = trajectory_rows(agent.name, ran)
        other = together[together["arm"] == agent.name].sort_values(["case", "step"]).reset_index(drop=True)
        pd.testing.assert_frame_equal(alone.sort_values(["case", "step"]).reset_index(drop=True)[list(other)], other)


def test_rows_of_candidates_tell_all_draws(tmp_path: Path) -> None:
    context = method_context(tmp_path)
    utility = TextUtility(GenreCounts(), context.data.utility)
    ran = run_method(BestOfTwo(context), CASES, 4, 7, PlantedWriter(), utility)
    rows, way = candidate_rows("mine", ran), trajectory_rows("mine", ran)
    assert len(rows) == 6 * 4
    assert rows.groupby(["case", "step"])["accepted"].sum().eq(1).all()
    taken = rows[rows["accepted"]].sort_values(["case", "step"])
    assert taken["text"].tolist() == way[way["step"] > 0].sort_values(["case", "step"])["text"].tolist()


def test_a_kind_that_is_no_method_is_said(tmp_path: Path) -> None:
    context = method_context(tmp_path)
    assert open_method("random", context).name == "random"
    with pytest.raises(EagleError, match="opens no method"):
        open_method("builtins:str", context)
    with pytest.raises(EagleError, match="did you mean 'random'"):
        open_method("randon", context)


def test_the_softmax_policy_is_the_one_that_is_fitted(on_files: MethodContext) -> None:
    method = open_method("softmax_policy", on_files)
    assert isinstance(method, AgentMethod)
    fitted = fit_softmax_policy(on_files.data, repeat=on_files.repeat)
    assert (method.agent.weights == fitted.weights).all()  # type: ignore[attr-defined]
