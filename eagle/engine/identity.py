"""By what a kept text is known: the model's files, its parameters, and exactly the code that decides a text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eagle.config import LLMConfig
from eagle.config.dependencies import decides
from eagle.core.artifacts import content_hash
from eagle.core.code import code_hash, reached

TORCH = "eagle.engine.torch.model"
ENDPOINT = "eagle.engine.openai.model"
CODE: Mapping[str, str] = {"torch": TORCH, "openai": ENDPOINT, "scripted": "eagle.engine.scripted"}
"""Built-in engine -> the module that writes its texts; a part of the user's own is DVC's to notice."""
WRITES_NOTHING: Mapping[str, str] = {
    "eagle.engine.folders": "says whether a model's folder is whole",
    "eagle.engine.offline": "keeps libraries off the network",
    "eagle.engine.openai.endpoint": "carries requests that eagle.engine.openai.model forms, and their answers",
    "eagle.engine.openai.line": "says which request goes when",
}
"""Modules that engines reach and that decide no text, each with its reason."""


def text_code(*modules: str) -> str:
    """Return a hash of the code that these modules reach and that decides a text, comments and docstrings aside."""
    return code_hash({name for module in modules for name in reached(module) if _writes(name)})


def model_identity(config: LLMConfig, folder: Path, asking: str) -> dict[str, Any]:
    """Return what decides a model's texts, without opening it: its files, its parameters, the code of its engine, and
    that of the module ``asking``: what it reaches forms the prompts and reads the answers.
    """
    asked = {name for name in reached(asking) if _writes(name) and not name.startswith("eagle.engine.")}
    engines = {name for module in _engines(config) for name in reached(module) if _writes(name)}
    return {"files": content_hash(folder), "llm": config.decisive(), "code": code_hash(asked | engines)}


def _writes(module: str) -> bool:
    return decides(module) and module not in WRITES_NOTHING


def _engines(config: LLMConfig) -> tuple[str, ...]:
    """Return the modules of the engines that these parameters open: what writes, and torch where it runs adapters."""
    writing = [CODE[config.writing_engine]] if config.writing_engine in CODE else []
    return (*writing, *([] if config.endpoint_adapters == "served" else [TORCH]))
