"""dvc.yaml names as dependencies what the stages' imports reach and what params.yaml names of the user's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from eagle.config import Config, DataConfig, OwnFiles, parse_config
from eagle.config.dependencies import (
    DECIDES_NOTHING,
    code_dependencies,
    decides,
    name_own_files,
    own_dependencies,
    with_dependencies,
)
from eagle.config.stages import STAGES
from eagle.core.code import ROOT, file_of, reached
from eagle.core.project import Project

TEXT = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
FETCH = next(stage for stage in STAGES if stage.name == "fetch")


def deps(text: str) -> dict[str, list[str]]:
    """Return the dependencies of every stage of a dvc.yaml."""
    return {name: entry.get("do", entry)["deps"] for name, entry in yaml.safe_load(text)["stages"].items()}


def test_dvc_yaml_is_current() -> None:
    code = {stage.name: code_dependencies(stage) for stage in STAGES}
    assert with_dependencies(TEXT, code, {}) == TEXT, "run `make dependencies`, which writes the lists of dvc.yaml"


def test_a_stage_of_the_users_that_depends_on_nothing_stays_as_it_is() -> None:
    text = f"{TEXT}  mine:\n    cmd: echo 1 > mine.txt\n    outs: [mine.txt]\n"
    assert with_dependencies(text, None, {"fetch": ["my/ratings.csv"]}).endswith(text[len(TEXT) :])


def test_a_listed_file_or_folder_exists_and_holds_nothing_else() -> None:
    for stage in STAGES:
        told = [ROOT / path for path in deps(TEXT)[stage.name] if path.startswith("eagle/")]
        assert [path for path in told if not path.exists()] == []
        reaching = {file_of(module) for module in reached(stage.module) if decides(module)}
        inside = {file for path in told for file in ([path] if path.is_file() else path.rglob("*.py"))}
        extra = {file for file in inside - reaching if file.suffix == ".py"}
        assert {file for file in extra if re.sub(r'^"""[\s\S]*?"""', "", file.read_text()).strip()} == set()
        assert reaching <= inside


def test_what_is_exempt_exists_and_has_a_reason() -> None:
    assert [name for name in DECIDES_NOTHING if file_of(name) is None] == []
    assert [name for name, reason in DECIDES_NOTHING.items() if len(reason.split()) < 4] == []
    named = re.findall(r"tests/[\w/]+\.py", " ".join(DECIDES_NOTHING.values()))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("module", ["core.seeding", "compute.cutting", "compute.threads", "data.packages"])
def test_what_decides_a_draw_or_a_text_is_not_exempt(module: str) -> None:
    assert decides(f"eagle.{module}")


def with_files(folder: Path, **files: str | None) -> Config:
    """Return a configuration with the user's own files, which are made."""
    for path in files.values():
        if path:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text("x\n")
    return Config(data=DataConfig(source="files", files=OwnFiles(**files)))


def test_own_files_come_and_go_with_the_parameters(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text(TEXT, encoding="utf-8")
    outside = tmp_path.parent / "füm, 1.csv"
    outside.write_text("x\n")
    config = with_files(tmp_path, ratings="my/ratings.csv", items=str(outside))
    assert name_own_files(config, Project(tmp_path))
    after = (tmp_path / "dvc.yaml").read_text(encoding="utf-8")
    assert deps(after)["fetch"] == [*deps(TEXT)["fetch"], "my/ratings.csv", str(outside)]
    assert {name: kept for name, kept in deps(after).items() if name != "fetch"} == {
        name: kept for name, kept in deps(TEXT).items() if name != "fetch"
    }
    assert not name_own_files(config, Project(tmp_path))
    assert name_own_files(Config(), Project(tmp_path))
    assert (tmp_path / "dvc.yaml").read_text(encoding="utf-8") == TEXT


def test_files_that_are_not_there_are_left_to_fetch_to_complain_of(tmp_path: Path) -> None:
    config = Config(data=DataConfig(source="files", files=OwnFiles(ratings="none.csv")))
    assert own_dependencies(FETCH, config, tmp_path) == []
    assert not name_own_files(config, Project(tmp_path))  # nor is there a dvc.yaml


def with_models(model: str, other: str | None = None) -> Config:
    """Return a configuration with models of one's own."""
    return parse_config({"llm": {"model": model}, "evaluate": {"other_model": other}})


def named_models(folder: Path, config: Config) -> dict[str, list[str]]:
    """Return what dvc.yaml names of the stages that read models beside what it names of itself."""
    (folder / "dvc.yaml").write_text(TEXT, encoding="utf-8")
    name_own_files(config, Project(folder))
    found, usual = deps((folder / "dvc.yaml").read_text(encoding="utf-8")), deps(TEXT)
    assert [name for name in found if found[name][: len(usual[name])] != usual[name]] == []
    return {name: found[name][len(usual[name]) :] for name in found if found[name] != usual[name]}


def test_a_local_model_is_a_dependency_of_the_stage_that_reads_it(tmp_path: Path) -> None:
    (tmp_path / "mine.gguf").touch()
    outside = tmp_path.parent / "outside model"
    for folder in (tmp_path / "own/other", outside):
        folder.mkdir(parents=True)
    found = named_models(tmp_path, with_models("./mine.gguf", "own/other/"))
    assert found == {"models": ["mine.gguf"], "evaluate": ["own/other"]}
    found = named_models(tmp_path, with_models(str(outside), str(tmp_path / "own/other")))
    assert found == {"models": [str(outside)], "evaluate": ["own/other"]}


def test_a_model_in_the_home_folder_is_named_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home/model").mkdir(parents=True)
    (tmp_path / "project").mkdir()
    assert named_models(tmp_path / "project", with_models("~/model")) == {"models": [str(tmp_path / "home/model")]}


@pytest.mark.parametrize("model", ["embedded", "name/model@main", "no/such/folder"])
def test_a_model_from_elsewhere_is_no_dependency(tmp_path: Path, model: str) -> None:
    (tmp_path / "embedded").mkdir()  # which the name does not mean
    assert named_models(tmp_path, with_models(model)) == {}


def test_what_the_pipeline_makes_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "models/llm").mkdir(parents=True)
    assert named_models(tmp_path, with_models("embedded", "models/llm")) == {}


def test_a_part_of_the_user_s_own_is_a_dependency_of_the_stages_that_use_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("class Mine: ...\n")
    part = Config().encoder.model_copy(update={"kind": "mine:Mine"})
    config = Config().model_copy(update={"encoder": part})
    using = {stage.name for stage in STAGES if own_dependencies(stage, config, tmp_path) == ["mine.py"]}
    assert {"encoder", "profiles", "design", "train", "evaluate"} <= using
    assert using.isdisjoint({"fetch", "models", "validate", "split", "describe", "actions"})
