"""The registry on a tracking server: MLflow's own, over PostgreSQL and an S3 store."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner

from eagle.cli import app
from eagle.config import Config
from eagle.config.stages import run_stage
from eagle.core.artifacts import read_json
from eagle.core.project import Project
from eagle.registry.kept import forget_lost
from tests.servers.conftest import Servers
from tests.servers.scripted_agent import TEXT, registrable_run, script

pytestmark = [  # both MLflow's own: of its type hints when it is imported, and of an example's index
    pytest.mark.filterwarnings("ignore:.*Any type hint"),
    pytest.mark.filterwarnings("ignore:Operation with range"),
]


@pytest.fixture(scope="module")
def registered(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Project]:
    """A run that stage register has carried to the server."""
    root = tmp_path_factory.mktemp("registered")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        script(patch)
        config, project = registrable_run(Path(), servers.mlflow)
        run_stage("register", config, project)
    return config, Project(root)


def test_the_registration_stands_on_the_server(registered: tuple[Config, Project], servers: Servers) -> None:
    config, project = registered
    said, client = read_json(project.registration), MlflowClient(servers.mlflow, servers.mlflow)
    champion = client.get_model_version_by_alias(config.registry.model, "champion")
    assert (said["tracking_uri"], said["champion"]) == (servers.mlflow, champion.version)
    assert (champion.run_id, champion.status) == (said["run"], "READY")
    assert champion.tags["eagle.decision"] == "there was no champion"
    (parent,) = client.search_runs(
        [client.get_run(said["pipeline_run"]).info.experiment_id], "tags.`eagle.kind` = 'pipeline'"
    )
    assert (parent.info.run_id, parent.info.status) == (said["pipeline_run"], "FINISHED")
    rows = servers.cluster.run("psql", "-At", "-d", "mlflow", "-c", "SELECT name, version FROM model_versions")
    assert rows.split() == [f"{config.registry.model}|1"]


def test_files_lie_in_the_store_and_nothing_beside_the_project(
    registered: tuple[Config, Project], servers: Servers
) -> None:
    stored = servers.stored()
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
    registered: tuple[Config, Project], servers: Servers, tmp_path: Path
) -> None:
    config, project = registered
    address = servers.cluster.address(servers.cluster.restored("mlflow", tmp_path / "mlflow.dump"))
    champion = MlflowClient(address, address).get_model_version_by_alias(config.registry.model, "champion")
    assert champion.run_id == read_json(project.registration)["run"]


def test_a_lost_champion_is_noticed(registered: tuple[Config, Project], servers: Servers) -> None:
    config, project = registered
    assert forget_lost(config.registry, project) is None
    client = MlflowClient(servers.mlflow, servers.mlflow)
    client.delete_registered_model_alias(config.registry.model, "champion")
    assert forget_lost(config.registry, project) == f"a champion of {config.registry.model}"
    assert not project.registered.exists()
