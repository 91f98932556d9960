"""What a registration that is cancelled leaves in the store: nothing, or a version that says what was decided."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import mlflow
import pytest

from eagle.config import Config
from eagle.core.artifacts import read_json
from eagle.core.project import Project
from eagle.registry.kept import forget_lost
from eagle.registry.store import open_store
from eagle.serving.agent_files import NOTE
from tests.mlflow_tables import lay_tables
from tests.report.finished_run import finished_run

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", ".*Any type hint is inferred", UserWarning)  # MLflow's, when it is imported
    from eagle.registry import stage


class Agent:
    """Stands in for the packed agent's folder."""

    def __init__(self, root: Path) -> None:
        root.mkdir(exist_ok=True)
        (root / NOTE).write_text("{}")
        self.root = root


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    project = finished_run(tmp_path)
    for path in (project.llm / "weights", project.descriptions, project.quality):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("made up", encoding="utf-8")
    monkeypatch.setattr(stage, "pack_agent", lambda config, project, arm, folder: Agent(folder))
    log_model = mlflow.pyfunc.log_model
    monkeypatch.setattr(mlflow.pyfunc, "log_model", lambda **given: log_model(**{**given, "input_example": None}))
    lay_tables(project)
    return Project()


def stopped(*_: Any, **__: Any) -> Any:
    raise KeyboardInterrupt


def versions(project: Project) -> list[Any]:
    return list(open_store(Config().registry, project).client.search_model_versions())


def test_a_cancelled_comparison_registers_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "decide", stopped)
    with pytest.raises(KeyboardInterrupt):
        stage.run(Config(), project)
    assert versions(project) == []
    assert not project.registration.exists() and not project.registered.exists()


@pytest.mark.filterwarnings("ignore:.*An input example was not provided:UserWarning")
def test_a_version_says_from_its_first_moment_what_was_decided(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "model_card", stopped)
    with pytest.raises(KeyboardInterrupt):
        stage.run(Config(), project)
    (version,) = versions(project)
    assert version.tags["eagle.decision"] == "there was no champion"
    assert set(version.tags) >= {"eagle.bounds", "eagle.champion_before", "eagle.base_model", "eagle.base_hash"}
    assert version.aliases == []


@pytest.mark.filterwarnings("ignore:.*An input example was not provided:UserWarning")
def test_a_champion_whose_files_are_lost_is_registered_anew(project: Project) -> None:
    stage.run(Config(), project)
    assert forget_lost(Config().registry, project) is None
    shutil.rmtree("mlruns/artifacts")
    assert forget_lost(Config().registry, project) == "files of eagle-agent"
    assert not project.registered.exists()
    stage.run(Config(), project)
    assert read_json(project.registration)["champion"] == "2"
    assert forget_lost(Config().registry, project) is None
