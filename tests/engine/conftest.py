from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny import build_tiny_adapter, build_tiny_llm


@pytest.fixture(scope="session")
def tiny_llm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer Llama in transformers' layout."""
    return build_tiny_llm(tmp_path_factory.mktemp("llm") / "tiny")


@pytest.fixture(scope="session")
def adapter(tiny_llm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter for the tiny language model."""
    return build_tiny_adapter(tmp_path_factory.mktemp("adapter"), tiny_llm)
