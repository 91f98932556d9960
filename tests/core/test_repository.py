"""What DVC needs around a project, told before anything is started."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from eagle.core.errors import EagleError
from eagle.core.repository import conflicts, repository_problems, stages_in

CONFLICT = 'schema: "2.0"\n<<<<<<< HEAD\nstages: {}\n=======\nstages: {fetch: {}}\n>>>>>>> other\n'


def dvc_project(folder: Path, settings: str = "[core]\n    analytics = false\n") -> Path:
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text(settings)
    return folder


def test_a_project_in_a_git_repository_is_fine_without_a_commit_and_below_its_root(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    below = tmp_path / "below"
    below.mkdir()
    assert repository_problems(dvc_project(below)) == []


def test_a_missing_git_repository_is_told_unless_dvc_does_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (problem,) = repository_problems(dvc_project(tmp_path))
    assert "no Git repository" in problem.what and "git init" in problem.mend
    (tmp_path / ".dvc/config.local").write_text("[core]\n    no_scm = True\n")
    assert repository_problems(tmp_path) == []


def test_a_folder_without_dvc_is_told(tmp_path: Path) -> None:
    (problem,) = repository_problems(tmp_path)
    assert "no DVC project" in problem.what and "`git init && dvc init`" in problem.mend


def test_a_folder_without_dvc_below_another_project_is_told_how_to_become_one_there(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    below = dvc_project(tmp_path) / "below"
    below.mkdir()
    (problem,) = repository_problems(below)
    assert "no DVC project" in problem.what and "`dvc init --subdir`" in problem.mend


@pytest.mark.parametrize("text", ["stages: [1", "stages", "- a", "stages: 3"])
def test_a_file_that_holds_no_stages_is_told_by_its_name(text: str) -> None:
    with pytest.raises(EagleError, match=r"dvc\.lock is not valid YAML with stages"):
        stages_in(text, Path("dvc.lock"))


@pytest.mark.parametrize("name", ["dvc.lock", "dvc.yaml", "params.yaml"])
def test_marks_of_a_merge_are_named_by_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(CONFLICT)
    (problem,) = conflicts(tmp_path)
    assert name in problem.what and "line 2, 6" in problem.found and "git " in problem.mend
    (tmp_path / name).write_text(CONFLICT.replace("<<<<<<< HEAD", "# a").replace(">>>>>>> other", "# b"))
    assert conflicts(tmp_path) == []
