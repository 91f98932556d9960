"""Held-out episodes of the registered agent as MLflow traces, from the worst to the best."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pytest

from eagle.core.project import Project
from eagle.evaluation.arm import eagle_arm
from eagle.evaluation.stored import read_trajectories
from eagle.registry.champion import CaseScores
from eagle.registry.new_agent import NewAgent
from eagle.registry.store import Store
from eagle.registry.traces import log_traces
from tests.report.finished_run import finished_run

pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")  # MLflow's, at its import
ARM = eagle_arm("g_optimal", 2)


def test_episodes_are_shown_change_by_change_with_the_runs_they_belong_to(tmp_path: Path, mlflow_store: Store) -> None:
    project = finished_run(tmp_path)
    table = read_trajectories(project.trajectories)
    mine = table[table["arm"] == ARM.name].set_index(["case", "step"]).sort_index()
    gains = mine["utility"].groupby("case").agg(lambda values: values.iloc[-1] - values.iloc[0])
    agent = NewAgent(ARM, ARM, table[["anchor", "user"]].iloc[:0], CaseScores("", [], [], []), [])
    run = mlflow_store.client.create_run(mlflow_store.experiment_id).info.run_id
    found = log_traces(project, mlflow_store, agent, run, 3)
    traces = [mlflow.get_trace(name) for name in found]
    shown = [int(trace.info.tags["eagle.case"]) for trace in traces]
    assert (shown[0], shown[-1]) == (gains.idxmin(), gains.idxmax())
    for case, trace in zip(shown, traces, strict=True):
        root, *turns = trace.data.spans
        assert [turn.name for turn in turns] == ["agent", "environment", "encoder"] * 2
        assert root.outputs["gain"] == pytest.approx(gains[case])
        for step in (1, 2):
            row, (acted, wrote, valued) = mine.loc[(case, step)], turns[3 * step - 3 : 3 * step]
            assert acted.outputs == {"action": row["action"]}
            written = (row["text"], None) if row["valid"] else (None, row["cause"])
            assert (wrote.outputs["text"], wrote.outputs["cause"]) == written
            assert valued.outputs["utility"] == pytest.approx(row["utility"])
        assert trace.info.request_metadata["mlflow.sourceRun"] == run


def test_none_are_shown_where_none_are_asked_for(tmp_path: Path, mlflow_store: Store) -> None:
    agent = NewAgent(ARM, ARM, read_trajectories(finished_run(tmp_path).trajectories), CaseScores("", [], [], []), [])
    assert log_traces(Project(tmp_path), mlflow_store, agent, "", 0) == []
