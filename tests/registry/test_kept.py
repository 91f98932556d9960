"""A store that has lost what was registered makes the register stage stale, and says what is missing."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pytest

from eagle.config import RegistryConfig
from eagle.core.artifacts import write_json
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.registry.kept import forget_lost, store_line
from eagle.registry.store import Store, open_store
from tests.mlflow_tables import lay_tables
from tests.report.registered import FIRST

CONFIG = RegistryConfig()


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Project, Store]:
    """A project whose store has version 1, the champion."""
    monkeypatch.chdir(tmp_path)
    project = Project()
    lay_tables(project)
    store = open_store(CONFIG, project)
    run = store.client.create_run(store.experiment_id)
    store.client.create_registered_model(CONFIG.model)
    store.client.create_model_version(CONFIG.model, f"runs:/{run.info.run_id}/agent", run.info.run_id)
    Path(store.client.get_model_version_download_uri(CONFIG.model, "1")).mkdir(parents=True)
    store.client.set_registered_model_alias(CONFIG.model, "champion", "1")
    project.reports.mkdir()
    FIRST.write(project)
    write_json(project.registered, {"model": CONFIG.model})
    return project, store


def test_nothing_is_forgotten_where_the_store_has_it_all(registered: tuple[Project, Store]) -> None:
    project, _ = registered
    assert forget_lost(CONFIG, project) is None
    assert store_line(CONFIG, project) == ""
    assert project.registered.exists()


def test_a_champion_that_was_moved_by_hand_is_still_one(registered: tuple[Project, Store]) -> None:
    project, store = registered
    store.client.create_model_version(CONFIG.model, "runs:/0/agent", None)
    store.client.set_registered_model_alias(CONFIG.model, "champion", "2")
    assert forget_lost(CONFIG, project) is None
    assert store_line(CONFIG, project) == "since then the champion has been moved: it is version 2"


def test_what_is_lost_is_named_and_dvc_sees_it(registered: tuple[Project, Store]) -> None:
    project, store = registered
    store.client.delete_registered_model_alias(CONFIG.model, "champion")
    lost = f"a champion of {CONFIG.model}"
    on = "`python -m flows.pipeline`"  # there is no Makefile
    assert store_line(CONFIG, project) == f"the registry has lost {lost}: {on} registers the agent again"
    assert forget_lost(CONFIG, project) == lost
    assert not project.registered.exists()
    store.client.delete_model_version(CONFIG.model, "1")
    assert forget_lost(CONFIG, project) == f"{CONFIG.model} version 1"


def test_a_lost_database_is_lost_and_not_made_anew(registered: tuple[Project, Store]) -> None:
    project, _ = registered
    mlflow.set_tracking_uri(None)
    database = project.root / "mlruns/mlflow.db"
    database.unlink()
    assert store_line(CONFIG, project).startswith("the registry has lost its store at sqlite:///")
    assert "its store at" in str(forget_lost(CONFIG, project))
    assert not database.exists()


def test_a_damaged_database_is_told_and_nothing_is_said_to_be_lost(tmp_path: Path) -> None:
    project = Project(tmp_path)
    FIRST.write(project)
    write_json(project.registered, {"model": CONFIG.model})
    (tmp_path / "mlruns/mlflow.db").write_bytes(b"no database" * 1000)
    for ask in (forget_lost, store_line):
        with pytest.raises(EagleError, match="file is not a database") as caught:
            ask(CONFIG, project)
        assert "back-up" in caught.value.problems[0].mend
    assert project.registered.exists()


def test_before_anything_was_registered_nothing_is_lost(tmp_path: Path) -> None:
    assert forget_lost(CONFIG, Project(tmp_path)) is None
    assert store_line(CONFIG, Project(tmp_path)) == ""
