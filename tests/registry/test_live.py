"""A pipeline in MLflow while it runs: real stages in processes of their own, a real tracker, a real store."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from eagle.config import Config, RegistryConfig
from eagle.core.parent import PIPELINE, identity, lives
from eagle.core.project import Project
from eagle.registry.live.state import under_way
from eagle.registry.runs import log_pipeline
from eagle.registry.store import open_store
from tests.mlflow_tables import lay_tables
from tests.registry.followed import ROOT, SYSTEM, Pipeline, measure_load_at_once, trackers, until
from tests.report.finished_run import finished_run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pipelines are followed on Linux")


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    lay_tables(Project(tmp_path))
    found = Pipeline(Project(tmp_path), open_store(RegistryConfig(), Project(tmp_path)))
    yield found
    found.end()


def test_runs_their_curves_and_the_machines_load_are_there_while_a_stage_runs(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure_load_at_once(monkeypatch)
    with pipeline.begin("train@g_optimal", "waits") as stage:
        run = until(lambda: pipeline.runs("stage"))[0]
        history = until(lambda: pipeline.store.client.get_metric_history(run.info.run_id, "loss"))
        assert [(m.step, m.value) for m in history] == [(1, 1.0), (2, 0.5), (3, 0.333333)]
        (parent,) = pipeline.runs("pipeline")
        assert (parent.info.status, run.info.status) == ("RUNNING", "RUNNING")
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert parent.info.run_name.startswith("default, seed 7, movielens-100k, ")
        assert parent.data.params["train.kl_coefficient"] == "0.04"
        load = until(lambda: pipeline.store.client.get_metric_history(parent.info.run_id, SYSTEM))
        assert all(0 <= point.value <= 100 for point in load)
        stage.kill()
    until(lambda: pipeline.status("stage") == ["KILLED"])
    pipeline.end()
    assert pipeline.status("pipeline") == ["KILLED"]
    assert not pipeline.folder.exists()


def test_all_stages_of_a_pipeline_stand_in_one_run_with_their_true_times(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure_load_at_once(monkeypatch)
    monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "false")
    before = time.time()
    for stage in ("split", "factors", "train@uniform"):
        pipeline.run(stage)
    after = time.time()
    pipeline.end()
    (parent,), stages = pipeline.runs("pipeline"), pipeline.runs("stage")
    assert [run.data.tags["eagle.stage"] for run in stages] == ["split", "factors", "train@uniform"]
    assert {run.data.tags["mlflow.parentRunId"] for run in stages} == {parent.info.run_id}
    assert {run.info.status for run in [parent, *stages]} == {"FINISHED"}
    times = [time for run in stages for time in (run.info.start_time, run.info.end_time)]
    assert times == sorted(times)
    assert before * 1000 - 1 <= parent.info.start_time <= times[0]
    assert times[-1] == parent.info.end_time <= after * 1000
    assert not [name for name in parent.data.metrics if name.startswith("system/")]


def test_what_a_stage_measured_is_said_before_its_files_are_moved(pipeline: Pipeline) -> None:
    pipeline.run("encoder", "measures")
    pipeline.end()
    (run,) = pipeline.runs("stage")
    assert run.data.metrics["auc"] == 0.75
    assert not pipeline.project.stage_metrics("encoder").exists()
    assert [file.path for file in pipeline.store.client.list_artifacts(run.info.run_id)] == ["encoder.json"]


def test_a_line_that_a_full_disk_cut_short_costs_that_line_alone(pipeline: Pipeline) -> None:
    """And what is no pipeline's folder disturbs nobody."""
    pipeline.folder.parent.mkdir(parents=True)
    (pipeline.folder.parent / ".gitkeep").touch()
    pipeline.run("encoder", "torn")
    pipeline.end()
    (run,) = pipeline.runs("stage")
    assert run.info.status == "FINISHED" and run.data.metrics["later"] == 1.0
    assert not pipeline.folder.exists()


def test_a_stage_says_how_it_ended(pipeline: Pipeline) -> None:
    assert "no such film" in pipeline.run("split", "fails")
    with pipeline.begin("split", "waits") as stage:
        until(lambda: len(pipeline.runs("stage")) == 2)
        stage.send_signal(signal.SIGINT)
    until(lambda: pipeline.status("stage") == ["FAILED", "KILLED"])
    assert pipeline.runs("stage")[0].data.tags["mlflow.note.content"] == "ValueError: no such film"
    pipeline.run("split")  # a retry
    pipeline.end()
    assert pipeline.status("stage") == ["FAILED", "KILLED", "FINISHED"]
    assert pipeline.status("pipeline") == ["FINISHED"]


def test_what_a_killed_machine_left_running_is_closed_by_the_next_pipeline(pipeline: Pipeline) -> None:
    with pipeline.begin("elm", "waits") as stage:
        until(lambda: pipeline.status("stage") == ["RUNNING"])
        (tracker,) = trackers(pipeline.folder)
        os.kill(tracker, signal.SIGKILL)
        stage.kill()
    pipeline.end()
    assert pipeline.status("pipeline") == ["RUNNING"]
    after = Pipeline(pipeline.project, pipeline.store)
    after.run("elm")
    after.end()
    assert pipeline.status("pipeline") == ["KILLED", "FINISHED"]
    assert pipeline.status("stage") == ["KILLED", "FINISHED"]
    assert not list(pipeline.folder.parent.iterdir())


def test_a_tracker_that_dies_is_followed_by_another_without_a_second_run(pipeline: Pipeline) -> None:
    pipeline.run("split")
    until(lambda: pipeline.status("stage") == ["FINISHED"])
    os.kill(trackers(pipeline.folder)[0], signal.SIGKILL)
    until(lambda: not trackers(pipeline.folder))
    pipeline.run("factors")
    pipeline.end()
    assert pipeline.status("pipeline") == ["FINISHED"]
    assert pipeline.status("stage") == ["FINISHED", "FINISHED"]


def test_a_store_that_does_not_answer_holds_nothing_up_and_is_told_once(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    params = (pipeline.project.params).read_text(encoding="utf-8")
    nowhere = "http://127.0.0.1:9"
    pipeline.project.params.write_text(params.replace(RegistryConfig().tracking_uri, nowhere), encoding="utf-8")
    pipeline.folder = pipeline.project.live_runs / pipeline.name
    assert pipeline.run("split", uri=nowhere) == ""
    until((pipeline.folder / "left_out.txt").exists)
    assert "MLflow does not follow this run for now" in pipeline.run("factors", uri=nowhere)
    assert pipeline.run("encoder", uri=nowhere) == ""
    os.kill(trackers(pipeline.folder)[0], signal.SIGKILL)  # or it would ask again for a minute


def test_the_registration_completes_the_run_that_is_there(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    finished_run(pipeline.project.root)
    pipeline.run("encoder")
    pipeline.run("evaluate")
    with pipeline.begin("register", "waits") as stage:
        until(lambda: len(pipeline.runs("stage")) == 3)
        monkeypatch.setenv(PIPELINE, pipeline.name)
        followed = under_way(Config(), pipeline.project)
        assert followed is not None
        made = log_pipeline(Config(), pipeline.project, pipeline.store, followed)
        stage.kill()
    pipeline.end()
    (parent,) = pipeline.runs("pipeline")
    assert parent.info.run_id == made.parent
    assert parent.data.metrics["headline.eagle_g_optimal.gain"] == pytest.approx(0.7, abs=0.2)
    stages = pipeline.runs("stage")
    named = [run.data.tags["eagle.stage"] for run in stages]
    assert sorted(named) == ["encoder", "evaluate", "fetch", "register", "train@g_optimal"]
    reused = {run.data.tags["eagle.stage"] for run in stages if "eagle.reused" in run.data.tags}
    assert reused == {"fetch", "train@g_optimal"}
    assert all("cost.seconds" in run.data.metrics for run in stages if run.data.tags["eagle.stage"] != "register")


def test_nobody_is_followed_by_hand_or_where_it_is_switched_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eagle.registry.live.stages import followed

    monkeypatch.delenv(PIPELINE, raising=False)
    with followed("split", RegistryConfig(), Project(tmp_path)):
        pass
    monkeypatch.setenv(PIPELINE, identity(os.getpid()) or "")
    with followed("split", RegistryConfig(live=False), Project(tmp_path)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_process_is_known_by_more_than_its_number() -> None:
    mine = identity(os.getpid())
    assert mine is not None
    assert lives(mine)
    assert not lives(f"{os.getpid()}-1")
