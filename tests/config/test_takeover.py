"""A project of an earlier version is told, once, what will be made again."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from eagle.config import Config, DataConfig, OwnFiles
from eagle.config.takeover import made_by_other_code, prepare, takeover_line
from eagle.core.project import Project
from eagle.core.repository import read_locked

STAGES = {
    "fetch": {"deps": ["eagle/data/fetch.py"]},
    "train": {"foreach": "${train.arms}", "do": {"deps": ["data/splits", "eagle/training"]}},
}
NOW = {"fetch": ["eagle/data/fetch.py"], "train@uniform": ["data/splits", "eagle/training"]}
BEFORE = {"fetch": ["eagle/fetch.py"], "train@uniform": ["data/splits", "eagle/trainer.py"]}


def project(root: Path, lock: dict[str, list[str]]) -> Project:
    """Write a dvc.yaml of two stages and what DVC noted of the finished ones."""
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}))
    noted = {name: {"deps": [{"path": path, "md5": "0"} for path in deps]} for name, deps in lock.items()}
    (root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": noted}))
    return Project(root)


def line_of(old: Project) -> str:
    return takeover_line(old, read_locked(old.dvc_lock))


def test_all_stages_of_an_earlier_version_are_told_in_one_line(tmp_path: Path) -> None:
    line = line_of(project(tmp_path, BEFORE))
    assert line.endswith("these stages will be made again: fetch, train@uniform")
    assert "\n" not in line


@pytest.mark.parametrize("lock", [NOW, {**BEFORE, "fetch": NOW["fetch"]}, {}], ids=["now", "begun", "nothing"])
def test_nothing_is_said_of_this_version_or_once_the_first_stage_is_made(
    tmp_path: Path, lock: dict[str, list[str]]
) -> None:
    old = project(tmp_path, lock)
    assert line_of(old) == ""
    assert made_by_other_code(old, read_locked(old.dvc_lock)) == [name for name in lock if lock[name] != NOW[name]]


def test_a_new_project_has_nothing_to_take_over(tmp_path: Path) -> None:
    assert line_of(Project(tmp_path)) == ""


def test_a_stage_says_it_on_standard_error_and_names_own_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = project(tmp_path, BEFORE)
    (tmp_path / "ratings.csv").write_text("user,item,rating\n")
    config = Config(data=DataConfig(source="files", files=OwnFiles(ratings="ratings.csv")))
    prepare(config, old, read_locked(old.dvc_lock))
    told = capsys.readouterr()
    assert "will be made again: fetch, train@uniform" in told.err and "names your files" in told.err
    assert told.out == ""
    assert '"ratings.csv",  # named in params.yaml' in old.dvc_yaml.read_text()
