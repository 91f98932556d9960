"""The registry, and a pipeline that is followed, on an MLflow server over PostgreSQL and an S3 store."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner

from eagle.cli import app
from eagle.config import Config, parse_config
from eagle.config.parameters import params_yaml
from eagle.config.stages import run_stage
from eagle.core.artifacts import read_json, write_json
from eagle.core.project import Project
from eagle.registry.kept import forget_lost
from eagle.registry.store import open_store
from tests.registry.followed import SYSTEM, Pipeline, measure_load_at_once, until
from tests.servers.conftest import Tracking
from tests.servers.scripted_agent import TEXT, registrable_run, script

pytestmark = [  # both MLflow's own: of its type hints when it is imported, and of an example's index
    pytest.mark.filterwarnings("ignore:.*Any type hint"),
    pytest.mark.filterwarnings("ignore:Operation with range"),
]


@pytest.fixture(scope="module")
def registered(tracking: Tracking, tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Project]:
    """A run that stage register has carried to the server."""
    root = tmp_path_factory.mktemp("registered")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        script(patch)
        config, project = registrable_run(Path(), tracking.mlflow)
        run_stage("register", config, project)
    return config, Project(root)


def test_the_registration_stands_on_the_server(registered: tuple[Config, Project], tracking: Tracking) -> None:
    config, project = registered
    said, client = read_json(project.registration), MlflowClient(tracking.mlflow, tracking.mlflow)
    champion = client.get_model_version_by_alias(config.registry.model, "champion")
    assert (said["tracking_uri"], said["champion"]) == (tracking.mlflow, champion.version)
    assert (champion.run_id, champion.status) == (said["run"], "READY")
    assert champion.tags["eagle.decision"] == "there was no champion"
    (parent,) = client.search_runs(
        [client.get_run(said["pipeline_run"]).info.experiment_id], "tags.`eagle.kind` = 'pipeline'"
    )
    assert (parent.info.run_id, parent.info.status) == (said["pipeline_run"], "FINISHED")
    rows = tracking.cluster.run("psql", "-At", "-d", "mlflow", "-c", "SELECT name, version FROM model_versions")
    assert rows.split() == [f"{config.registry.model}|1"]


def test_files_lie_in_the_store_and_nothing_beside_the_project(
    registered: tuple[Config, Project], tracking: Tracking
) -> None:
    stored = tracking.stored()
    assert any(name.startswith("mlflow/") and name.endswith("adapter_model.safetensors") for name in stored)
    assert any(name.endswith("/metrics.json") for name in stored)
    _, project = registered
    assert sorted(path.name for path in (project.root / "mlruns").rglob("*")) == ["registered.json"]


def test_the_champion_opens_from_the_server(
    registered: tuple[Config, Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(registered[1].root)
    script(monkeypatch)
    done = CliRunner().invoke(app, ["steer", "--user", "u1", "--item", "i1"], catch_exceptions=False)
    assert done.exit_code == 0 and TEXT in done.output


def test_a_restored_back_up_has_the_champion(
    registered: tuple[Config, Project], tracking: Tracking, tmp_path: Path
) -> None:
    config, project = registered
    address = tracking.cluster.address(tracking.cluster.restored("mlflow", tmp_path / "mlflow.dump"))
    champion = MlflowClient(address, address).get_model_version_by_alias(config.registry.model, "champion")
    assert champion.run_id == read_json(project.registration)["run"]


def test_a_lost_champion_is_noticed(registered: tuple[Config, Project], tracking: Tracking) -> None:
    config, project = registered
    assert forget_lost(config.registry, project) is None
    client = MlflowClient(tracking.mlflow, tracking.mlflow)
    client.delete_registered_model_alias(config.registry.model, "champion")
    assert forget_lost(config.registry, project) == f"a champion of {config.registry.model}"
    assert not project.registered.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="pipelines are followed on Linux")
def test_curves_and_load_stand_on_the_server_while_a_stage_runs_and_its_files_afterwards(
    tracking: Tracking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure_load_at_once(monkeypatch)
    monkeypatch.chdir(tmp_path)
    config, project = parse_config({"registry": {"tracking_uri": tracking.mlflow, "experiment": "followed"}}), Project()
    project.params.write_text(params_yaml(config), encoding="utf-8")
    write_json(project.stage_metrics("split"), {"cold_users": 3})
    pipeline = Pipeline(project, open_store(config.registry, project), config.registry)
    pipeline.run("split")
    with pipeline.begin("train@g_optimal", "waits") as stage:
        _, training = until(lambda: len(found := pipeline.runs("stage")) == 2 and found)
        ask = pipeline.store.client.get_metric_history
        history = until(lambda: ask(training.info.run_id, "loss"))
        assert [(m.step, m.value) for m in history] == [(1, 1.0), (2, 0.5), (3, 0.333333)]
        (parent,) = pipeline.runs("pipeline")
        assert (parent.info.status, training.info.status) == ("RUNNING", "RUNNING")
        assert until(lambda: ask(parent.info.run_id, SYSTEM))
        stage.kill()
    pipeline.end()
    assert pipeline.status("pipeline") == ["KILLED"]
    assert pipeline.status("stage") == ["FINISHED", "KILLED"]
    split, _ = pipeline.runs("stage")
    assert split.data.metrics["cold_users"] == 3
    (file,) = pipeline.store.client.list_artifacts(split.info.run_id)
    assert [name for name in tracking.stored() if name.endswith(f"{split.info.run_id}/artifacts/{file.path}")]
    assert not pipeline.folder.exists()
