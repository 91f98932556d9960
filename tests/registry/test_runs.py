"""What MLflow gets of a finished run: one parent, a child for each stage and each arm, by their records."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow.entities import Run

from eagle.config import Config, RegistryConfig
from eagle.core.project import Project
from eagle.evaluation.stored import read_comparison
from eagle.registry.run_log import RunLog
from eagle.registry.runs import PipelineRuns, log_pipeline
from eagle.registry.store import Store, open_store
from tests.mlflow_tables import lay_tables
from tests.report.finished_run import ARMS, SEARCH, finished_run


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return finished_run(tmp_path_factory.mktemp("logged"))


@pytest.fixture(scope="module")
def store(project: Project) -> Store:
    lay_tables(project)
    return open_store(RegistryConfig(), project)


@pytest.fixture(scope="module")
def logged(project: Project, store: Store) -> PipelineRuns:
    here = Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.root)  # artifacts lie relative to the project
        found = log_pipeline(Config(), project, store)
    assert Path.cwd() == here
    return found


def run_of(store: Store, run_id: str) -> Run:
    return store.client.get_run(run_id)


def test_every_arm_has_a_child_run_under_its_own_name(logged: PipelineRuns, store: Store) -> None:
    assert list(logged.of_arm) == [arm.name for arm in ARMS]
    for name, run_id in logged.of_arm.items():
        tags = run_of(store, run_id).data.tags
        assert (tags["eagle.kind"], tags["eagle.arm"], tags["mlflow.parentRunId"]) == ("arm", name, logged.parent)


def test_figures_stand_with_their_arm_and_the_rest_with_the_parent(logged: PipelineRuns, store: Store) -> None:
    parent = run_of(store, logged.parent).data
    assert parent.metrics["panel.auc.mean"] == pytest.approx(0.6)
    assert not [name for name in parent.metrics if name.startswith(tuple(logged.of_arm))]
    assert "utility.mean" in run_of(store, logged.of_arm[SEARCH.name]).data.metrics


def test_what_an_arm_wins_over_budgets_is_a_curve_whose_step_is_the_budget(logged: PipelineRuns, store: Store) -> None:
    run = logged.of_arm[SEARCH.name]
    history = store.client.get_metric_history(run, "at_budget.utility_gain")
    assert [(one.step, one.value) for one in history] == [(1, pytest.approx(0.2)), (2, pytest.approx(0.4))]
    assert not [name for name in run_of(store, logged.of_arm["random"]).data.metrics if name.startswith("at_budget")]


def test_a_comparison_that_was_left_out_is_no_curve(project: Project, store: Store, tmp_path: Path) -> None:
    """`evaluate.budgets.most: 0` leaves a table that has no rows, and so no types."""
    (tmp_path / "budget.csv").write_text(project.budget.read_text(encoding="utf-8").splitlines()[0] + "\n")
    with RunLog.begin(store, "without", {}) as run:
        run.at_budgets(read_comparison(tmp_path / "budget.csv"))
    assert run_of(store, run.run_id).data.metrics == {}


def test_learned_arms_have_their_parameters_and_curves(logged: PipelineRuns, store: Store) -> None:
    sections = {
        name: {key.split(".")[0] for key in run_of(store, run_id).data.params} for name, run_id in logged.of_arm.items()
    }
    assert sections["eagle_g_optimal"] == sections["eagle_g_optimal_listed"] == {"seed", "train"}
    assert sections["reference_g_optimal"] == {"seed", "reference"}
    assert sections["random"] == sections[SEARCH.name] == set()
    learned = {name for name, run_id in logged.of_arm.items() if "loss" in run_of(store, run_id).data.metrics}
    assert learned == {"eagle_g_optimal", "reference_g_optimal"}


def test_stages_have_child_runs_with_their_costs(logged: PipelineRuns, store: Store) -> None:
    found = store.client.search_runs([store.experiment_id], "tags.`eagle.kind` = 'stage'")
    seconds = {run.data.tags["eagle.stage"]: run.data.metrics["cost.seconds"] for run in found}
    assert seconds == {"fetch": 10.0, "encoder": 20.0, "train@g_optimal": 30.0, "evaluate": 40.0}
