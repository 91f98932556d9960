"""A packed agent is opened only where its files are as they were packed, and the models those it was made with."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.config import Config
from eagle.core.artifacts import read_json, write_json
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.serving.agent_files import NOTE, AgentFiles, pack_agent

CONTENTS = b"what an agent is made of"


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> AgentFiles:
    """An agent packed from a project whose files hold a few bytes each."""
    root = tmp_path_factory.mktemp("project")
    project = Project(root)
    for path in (
        project.agent("g_optimal") / "adapter_model.safetensors", project.encoder / "encoder.npz",
        project.descriptions, project.profiles, project.actions, project.design_weights, project.quality,
        project.catalogue_files.items, project.llm / "model.safetensors", project.text_model / "model.safetensors",
    ):  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENTS)
    beside = root / "packed" / "cases.json"
    beside.parent.mkdir()
    beside.write_bytes(CONTENTS)
    return pack_agent(Config(), project, "g_optimal", root / "packed")


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_one_flipped_byte_of_any_file_is_named(packed: AgentFiles, data: st.DataObject) -> None:
    packed.check()
    files = sorted(path for path in packed.root.rglob("*") if path.is_file() and path.name != NOTE)
    path = data.draw(st.sampled_from(files))
    before = path.read_bytes()
    place = data.draw(st.integers(0, len(before) - 1))
    path.write_bytes(before[:place] + bytes([before[place] ^ data.draw(st.integers(1, 255))]) + before[place + 1 :])
    try:
        with pytest.raises(EagleError, match=path.name):
            packed.check_own()
        with pytest.raises(EagleError, match=path.name) as error:
            packed.check()
    finally:
        path.write_bytes(before)
    assert len(error.value.problems) == 1
    packed.check()


def test_a_missing_file_and_another_base_model_are_told_together(packed: AgentFiles) -> None:
    path, model = packed.actions, packed.base / "model.safetensors"
    path.rename(path.with_suffix(".away"))
    model.write_bytes(b"another")
    try:
        with pytest.raises(EagleError) as error:
            packed.check()
    finally:
        path.with_suffix(".away").rename(path)
        model.write_bytes(CONTENTS)
    assert error.value.problems[0].found == "no such file"
    assert "is not the base model" in error.value.problems[1].what


def test_an_agent_of_an_earlier_version_names_no_files_and_opens(packed: AgentFiles, tmp_path: Path) -> None:
    note = read_json(packed.root / NOTE)
    try:
        write_json(packed.root / NOTE, {name: value for name, value in note.items() if name != "files"})
        packed.check()
    finally:
        write_json(packed.root / NOTE, note)
