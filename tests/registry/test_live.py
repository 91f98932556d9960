"""A pipeline in MLflow while it runs: real stages in processes of their own, a real tracker, a real store.

A process that only waits stands for the ``dvc`` that runs the stages.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Run

from eagle.config import Config, RegistryConfig
from eagle.core.parent import PIPELINE, identity, lives
from eagle.core.project import Project
from eagle.registry.live.state import under_way
from eagle.registry.location import live_folder
from eagle.registry.runs import log_pipeline
from eagle.registry.store import Store, open_store
from tests.report.finished_run import finished_run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pipelines are followed on Linux")
ROOT = Path(__file__).parents[2]
STAGE = """
import sys, time
from pathlib import Path
from eagle.config import RegistryConfig
from eagle.core import live
from eagle.core.project import Project
from eagle.registry.live.stages import followed

with followed(sys.argv[1], RegistryConfig(tracking_uri=sys.argv[3]), Project()):
    for step in (1, 2, 3):
        live.figures(step, {"loss": 1 / step, "phase": "all_action"})
    {body}
"""
BODIES = {"returns": "pass", "waits": "time.sleep(120)", "fails": "raise ValueError('no such film')"}
LOCAL = "sqlite:///mlruns/mlflow.db"


class Pipeline:
    """A stand-in for DVC, its stages, and what MLflow says of them."""

    def __init__(self, project: Project, store: Store) -> None:
        self.project, self.store = project, store
        self._dvc = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        self.name = identity(self._dvc.pid) or ""
        self.folder = live_folder(RegistryConfig(), project) / self.name

    def begin(self, stage: str, body: str, uri: str = LOCAL) -> subprocess.Popen[str]:
        surroundings = {**os.environ, PIPELINE: self.name, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", STAGE.replace("{body}", BODIES[body]), stage, body, uri]
        return subprocess.Popen(
            command, cwd=self.project.root, env=surroundings, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def run(self, stage: str, body: str = "returns", uri: str = LOCAL) -> str:
        """Run a stage to its end; return what it said on standard error."""
        with self.begin(stage, body, uri) as process:
            return process.communicate()[1]

    def end(self) -> None:
        """End the stand-in, and wait until the tracker has ended too."""
        self._dvc.communicate()
        until(lambda: not trackers(self.folder))

    def runs(self, kind: str) -> list[Run]:
        found = self.store.client.search_runs([self.store.experiment_id], f"tags.`eagle.kind` = '{kind}'")
        return sorted(found, key=lambda run: run.info.start_time)

    def status(self, kind: str) -> list[str]:
        return [run.info.status for run in self.runs(kind)]


def until(true: Callable[[], Any], seconds: float = 120) -> Any:
    """Wait until something holds, and return it."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return found


def trackers(folder: Path) -> list[int]:
    """The processes of trackers that follow a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if "eagle.registry.live.tracker" in told and str(folder.resolve()) in told and identity(int(entry.name)):
            found.append(int(entry.name))
    return found


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    found = Pipeline(Project(tmp_path), open_store(RegistryConfig(), Project(tmp_path)))
    yield found
    found.end()


def test_runs_and_their_curves_are_there_while_a_stage_runs(pipeline: Pipeline) -> None:
    with pipeline.begin("train@g_optimal", "waits") as stage:
        run = until(lambda: pipeline.runs("stage"))[0]
        history = until(lambda: pipeline.store.client.get_metric_history(run.info.run_id, "loss"))
        assert [(m.step, m.value) for m in history] == [(1, 1.0), (2, 0.5), (3, 0.333333)]
        (parent,) = pipeline.runs("pipeline")
        assert (parent.info.status, run.info.status) == ("RUNNING", "RUNNING")
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert parent.info.run_name.startswith("default, seed 7, movielens-100k, ")
        assert parent.data.params["train.kl_coefficient"] == "0.04"
        stage.kill()
    until(lambda: pipeline.status("stage") == ["KILLED"])
    pipeline.end()
    assert pipeline.status("pipeline") == ["KILLED"]
    assert not pipeline.folder.exists()


def test_all_stages_of_a_pipeline_stand_in_one_run_with_their_true_times(pipeline: Pipeline) -> None:
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
    pipeline.project.params.write_text(params.replace(LOCAL, nowhere), encoding="utf-8")
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
