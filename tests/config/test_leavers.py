"""An arm that leaves params.yaml leaves nothing behind; all else stays."""

from __future__ import annotations

from pathlib import Path

from eagle.config import Config
from eagle.config.leavers import remove_left
from eagle.core.project import Project

ARM, LEFT = Config().train.arms[0], "an_arm_that_left"


def files(project: Project, arm: str) -> set[Path]:
    return {
        project.agent(arm) / "adapter_model.safetensors",
        project.reference(arm) / "adapter_model.safetensors",
        project.training_samples(arm),
        *(project.curve(f"{stage}_{arm}") for stage in ("train", "reference")),
        *(project.cost(f"{stage}@{arm}") for stage in ("train", "reference")),
    }


def test_what_an_arm_left_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    project = Project(tmp_path)
    others = {project.curve("elm"), project.cost("evaluate"), project.agent(".draft.part") / "x", project.headline}
    staying, leaving = files(project, ARM) | others, files(project, LEFT)
    for path in staying | leaving:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    deleted = remove_left(Config(), project)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == staying
    assert len(deleted) == len(leaving) and not project.agent(LEFT).exists()
    assert remove_left(Config(), project) == []


def test_where_nothing_has_run_nothing_is_deleted(tmp_path: Path) -> None:
    assert remove_left(Config(), Project(tmp_path)) == []
