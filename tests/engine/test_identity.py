"""What a kept text is known by changes with the code that decides it, and with nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from eagle.config import LLMConfig, parse_config
from eagle.config.dependencies import decides
from eagle.core.code import ROOT, code_hash, file_of, reached
from eagle.engine.identity import ENDPOINT, TORCH, WRITES_NOTHING, code_behind, deciding_code, model_identity


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the library's sources."""
    shutil.copytree(ROOT / "eagle", tmp_path / "eagle", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def deciding(*starts: str) -> set[str]:
    """Return the modules that the fingerprint of an engine covers."""
    return {name for start in starts for name in reached(start) if decides(name) and name not in WRITES_NOTHING}


@pytest.mark.parametrize(
    "module", ["engine.torch.model", "engine.torch.sampling", "engine.base", "compute.devices", "compute.threads"]
)
def test_a_line_of_what_computes_a_text_changes_the_fingerprint_and_a_comment_does_not(copy: Path, module: str) -> None:
    before = code_hash(deciding(TORCH), copy)
    assert before == deciding_code(TORCH)
    file = file_of(f"eagle.{module}", copy)
    assert file is not None
    source = file.read_text(encoding="utf-8")
    file.write_text(f"{source}\n# a comment\n", encoding="utf-8")
    assert code_hash(deciding(TORCH), copy) == before
    file.write_text(f"{source}\nADDED = 1\n", encoding="utf-8")
    assert code_hash(deciding(TORCH), copy) != before


def test_neither_a_client_next_door_nor_what_carries_files_is_covered() -> None:
    assert not [name for name in deciding(TORCH) if "openai" in name or name.startswith(("eagle.core", "eagle.data"))]
    assert "eagle.engine.openai.model" in deciding(ENDPOINT)
    assert "eagle.engine.openai.endpoint" not in deciding(ENDPOINT)
    assert [name for name in WRITES_NOTHING if file_of(name) is None] == []


PROMPTS = {
    "eagle.environment.describe": "eagle.environment.prompts",
    "eagle.profiles.writer": "eagle.environment.checks",
    "eagle.actions.written_shards": "eagle.actions.written",
    "eagle.actions.transitions": "eagle.environment.prompts",
    "eagle.evaluation.running": "eagle.environment.rewrite",
}


@pytest.mark.parametrize("asking", PROMPTS)
def test_kept_shards_are_known_by_the_code_of_their_prompts(asking: str, tmp_path: Path) -> None:
    assert PROMPTS[asking] in reached(asking)
    assert model_identity(LLMConfig(), tmp_path, asking)["code"] != deciding_code(TORCH)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({}, [TORCH]),
        ({"engine": "torch", "endpoint": "http://localhost:1/v1"}, [TORCH]),
        ({"endpoint": "http://localhost:1/v1"}, [ENDPOINT, TORCH]),
        ({"engine": "openai", "endpoint_adapters": "served"}, [ENDPOINT]),
        ({"engine": "scripted", "endpoint_adapters": "served"}, ["eagle.engine.scripted"]),
        ({"engine": "scripted"}, ["eagle.engine.scripted", TORCH]),
        ({"engine": "my.parts:Engine", "endpoint": "http://localhost:1/v1"}, [TORCH]),
    ],
)
def test_texts_are_known_by_the_code_of_the_engines_that_open(
    settings: dict[str, Any], code: list[str], tmp_path: Path
) -> None:
    asking = "eagle.core.errors"  # reaches nothing that decides a text
    assert model_identity(LLMConfig(**settings), tmp_path, asking)["code"] == deciding_code(*code)


def test_another_engine_and_another_asker_are_told_apart(tmp_path: Path) -> None:
    remote = LLMConfig(engine="openai", endpoint="http://localhost:1/v1", endpoint_adapters="served")
    asked = [(LLMConfig(), "eagle.environment.describe"), (remote, "eagle.environment.describe")]
    asked.append((LLMConfig(), "eagle.profiles.writer"))
    assert len({model_identity(config, tmp_path, asking)["code"] for config, asking in asked}) == 3


def test_a_line_of_an_engine_of_ones_own_changes_what_its_texts_are_known_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = parse_config({"llm": {"engine": "my_engine:Mine"}})
    model, known = tmp_path / "model", []
    model.mkdir()
    for line in ("TEXT = 'a'", "TEXT = 'b'"):
        (tmp_path / "my_engine.py").write_text(f"{line}\n", encoding="utf-8")
        known.append((model_identity(config.llm, model, TORCH), code_behind(TORCH, config)))
    assert known[0][0] != known[1][0] and known[0][1] != known[1][1]
