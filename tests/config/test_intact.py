"""A byte that a disk changed, which DVC does not look for, is told of before a stage reads it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from eagle.config import Config, parse_config
from eagle.config.intact import require_intact
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.core.repository import read_locked
from tests.dvc_here import dvc

STAGES = {
    "make": {"cmd": "mkdir -p all/one/sub && echo é > all/one/sub/b && echo a > all/one/a.txt", "outs": ["all/one"]},
    "other": {"cmd": "echo 1 > table", "outs": ["table"]},
    "read": {
        "foreach": ["x"],
        "do": {"cmd": "echo 2 > out_${item}", "deps": ["all", "table"], "outs": ["out_${item}"]},
    },
}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project of three stages that DVC has run."""
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}))
    dvc(tmp_path, "init", "--no-scm", "-q")
    dvc(tmp_path, "repro", "-q")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    return Project(tmp_path)


def compare(stage: str, config: Config, project: Project) -> None:
    """Compare what the stage reads with dvc.lock as it is now."""
    require_intact(stage, config, project, read_locked(project.dvc_lock))


def damage(path: Path) -> None:
    """Change a byte in place; size and times stay as they were."""
    times = path.stat()
    with path.open("r+b") as file:
        file.write(b"?")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_every_damaged_input_of_a_stage_is_named(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    compare("read@x", Config(), made)
    damage(made.root / "all/one/sub/b")
    damage(made.root / "table")
    dvc(made.root, "status", "-q")  # DVC does not see it
    with pytest.raises(EagleError) as told:
        compare("read@x", Config(), made)
    assert [problem.what for problem in told.value.problems] == [
        "all/one is not what the stage make left",
        "table is not what the stage other left",
    ]
    assert "delete table, then" in told.value.problems[1].mend
    compare("other", Config(), made)
    monkeypatch.delenv("DVC_ROOT")
    compare("read@x", Config(), made)  # by hand


def test_a_damaged_copy_has_to_go_too(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or DVC would bring it back: what is said to be deleted mends it."""
    monkeypatch.chdir(made.root)
    copies = [path for path in made.dvc_cache.rglob("*") if path.is_file() and path.read_bytes() in (b"a\n", b"1\n")]
    assert len(copies) == 2
    for path in [Path("all/one/a.txt"), Path("table"), *copies]:
        path.chmod(0o644)
        damage(path)
    with pytest.raises(EagleError) as told:
        compare("read@x", Config(), Project())
    for problem in told.value.problems:
        for name in problem.mend.removeprefix("delete ").split(", then")[0].split(" and "):
            shutil.rmtree(name) if Path(name).is_dir() else Path(name).unlink()
    dvc(made.root, "repro", "-q")
    compare("read@x", Config(), Project())
    assert Path("all/one/a.txt").read_text() + Path("table").read_text() == "a\n1\n"


def test_a_project_without_a_lock_has_nothing_to_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    compare("read@x", Config(), Project(tmp_path))


def test_what_a_stage_left_that_is_none_any_more_is_not_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An arm leaves params.yaml, and its agent is deleted; DVC keeps its entry in dvc.lock for ever."""
    train = {
        "cmd": "mkdir -p models/agent/${item} && echo a > models/agent/${item}/a",
        "outs": ["models/agent/${item}"],
    }
    evaluate = {"cmd": "echo 1 > table", "deps": ["models/agent"], "outs": ["table"]}
    arms = ["g_optimal", "uniform"]
    stages = {"train": {"foreach": arms, "do": train}, "own": {"cmd": "echo 1 > mine", "outs": ["mine"]}}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages | {"evaluate": evaluate}}))
    dvc(tmp_path, "init", "--no-scm", "-q")
    dvc(tmp_path, "repro", "-q")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    shutil.rmtree(tmp_path / "models/agent/uniform")
    with pytest.raises(EagleError, match="models/agent/uniform is not what the stage train@uniform left"):
        compare("evaluate", parse_config({"train": {"arms": arms}}), Project(tmp_path))
    stages["train"]["foreach"] = arms[:1]
    del stages["own"]
    (tmp_path / "dvc.yaml").write_text(
        yaml.safe_dump({"stages": stages | {"evaluate": evaluate | {"deps": ["models/agent", "mine"]}}})
    )
    dvc(tmp_path, "repro", "-q")
    assert "train@uniform" in read_locked(tmp_path / "dvc.lock")
    (tmp_path / "mine").unlink()  # nobody makes it now: DVC asks for it, and no stage of ours
    compare("evaluate", parse_config({"train": {"arms": arms[:1]}}), Project(tmp_path))
