"""Names that tell runs apart in a list."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from eagle.config import Config, parse_config, read_values
from eagle.config.settings import merged
from eagle.core.project import Project
from eagle.registry.naming import origin, run_name, setting_name

SETTINGS = Path(__file__).parents[2] / "settings"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    shutil.copytree(SETTINGS, tmp_path / "settings")
    return Project(tmp_path)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, "default"),
        ({"seed": 8, "data": {"noun": "book"}}, "default"),
        ({"train": {"kl_coefficient": 0.05}}, "kl_coefficient 0.05"),
        ({"evaluate": {"anchors": 5, "users": 6, "horizon": 2}}, "3 changes"),
    ],
)
def test_what_differs_from_the_defaults_is_named(project: Project, values: dict, name: str) -> None:
    assert setting_name(parse_config(values), project) == name


@pytest.mark.parametrize("name", ["hour", "paper"])
def test_a_named_setting_is_known_by_its_parameters(project: Project, name: str) -> None:
    config = parse_config(merged({"seed": 3}, read_values(project.setting(name))))
    assert setting_name(config, project) == name


def test_a_name_has_source_setting_seed_and_date(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    assert run_name(Config(seed=3), project, 1e9)[:42] == "default, seed 3, movielens-100k, 2001-09-0"
    monkeypatch.setenv("DVC_EXP_NAME", "weaker-kl")
    assert run_name(Config(), project, 1e9).startswith("weaker-kl, default, seed 7, ")
    own = Config.model_validate({"data": {"source": "files"}})
    assert f", files of {project.root.name}, " in run_name(own, project, 1e9)


def test_commit_and_uncommitted_changes_are_told_apart(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)

    assert "mlflow.source.git.commit" not in origin(Project(tmp_path))
    git("init", "-q")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-qm", "first")
    clean = origin(Project(tmp_path))
    assert len(clean["mlflow.source.git.commit"]) == 40 and "eagle.uncommitted" not in clean
    (tmp_path / "a").write_text("2")
    assert origin(Project(tmp_path)) == {**clean, "eagle.uncommitted": "yes"}
