"""Engines are found by name, and one's own is opened as the built-in ones are."""

from __future__ import annotations

from pathlib import Path

import pytest

from eagle.built_in.engines import ENGINES
from eagle.config import parse_config
from eagle.core.errors import EagleError
from eagle.engine.base import SamplingSpec
from eagle.engine.engines import engine_opener
from eagle.engine.open import open_language_model


def test_every_name_in_the_table_opens_something() -> None:
    assert [callable(engine_opener(kind)) for kind in ENGINES] == [True] * len(ENGINES)


@pytest.mark.parametrize("engine", ["scripted", "eagle.engine.engines:open_scripted"])
def test_an_engine_is_opened_by_its_name(engine: str, tmp_path: Path) -> None:
    config = parse_config({"llm": {"engine": engine, "endpoint_adapters": "served"}}).llm
    model = open_language_model(config, tmp_path)
    assert model.name == "scripted"
    assert "Story number" in model.generate(["Genres:"], SamplingSpec(60, 0.0), [1])[0].text


def test_another_engine_leaves_adapters_to_torch(tmp_path: Path, tiny_llm: Path) -> None:
    config = parse_config({"llm": {"engine": "scripted", "dtype": "float32", "device": "cpu"}}).llm
    model = open_language_model(config, tiny_llm)
    assert "Story number" in model.generate(["Genres:"], SamplingSpec(60, 0.0), [1])[0].text
    with pytest.raises(EagleError, match="adapter"):
        model.load_adapter(tmp_path / "no_adapter")


def test_an_endpoint_has_to_be_set(tmp_path: Path) -> None:
    with pytest.raises(EagleError, match="no endpoint is set"):
        open_language_model(parse_config({"llm": {"engine": "openai"}}).llm, tmp_path)
