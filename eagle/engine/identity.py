"""By what kept texts and unfinished work are known: files, parameters, and exactly the code that decides them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eagle.config import LLMConfig
from eagle.config.base import Section
from eagle.config.dependencies import decides, own_modules
from eagle.core.artifacts import content_hash, hash_of, md5_of
from eagle.core.code import code_hash, reached

TORCH = "eagle.engine.torch.model"
ENDPOINT = "eagle.engine.openai.model"
CODE: Mapping[str, str] = {"torch": TORCH, "openai": ENDPOINT, "scripted": "eagle.engine.scripted"}
"""Built-in engine -> the module that writes its texts."""
WRITES_NOTHING: Mapping[str, str] = {
    "eagle.engine.folders": "says whether a model's folder is whole",
    "eagle.engine.offline": "keeps libraries off the network",
    "eagle.engine.openai.endpoint": "carries requests that eagle.engine.openai.model forms, and their answers",
    "eagle.engine.openai.line": "says which request goes when",
}
"""Modules that engines reach and that decide no text, each with its reason."""


def deciding_code(*modules: str) -> str:
    """Return a hash of the code that these modules reach and that decides a result, comments and docstrings aside."""
    return code_hash({name for module in modules for name in reached(module) if _writes(name)})


def model_identity(config: LLMConfig, folder: Path, asking: str) -> dict[str, Any]:
    """Return what decides a model's texts, without opening it: its files, its parameters, the code of its engine (of
    one's own too), and that of the module ``asking``: what it reaches forms the prompts and reads the answers.
    """
    asked = {name for name in reached(asking) if _writes(name) and not name.startswith("eagle.engine.")}
    engines = {name for module in _engines(config) for name in reached(module) if _writes(name)}
    own = own_code(config)
    return {
        "files": content_hash(folder),
        "llm": config.decisive(),
        "code": code_hash(asked | engines),
        **({"own": own} if own else {}),
    }


def code_behind(module: str, *sections: Section) -> str:
    """Return a hash of all code that decides what a module makes, that of the user's own parts in these sections
    included. Unfinished work of other code is never taken up.
    """
    return hash_of([deciding_code(module), own_code(*sections)])


def own_code(*values: Any) -> dict[str, str]:
    """Return the hash of each module of the user's own that values of parameters name, by its file."""
    here = Path.cwd()
    return {file.relative_to(here).as_posix(): md5_of(file) for file in own_modules(values, here)}


def _writes(module: str) -> bool:
    return decides(module) and module not in WRITES_NOTHING


def _engines(config: LLMConfig) -> tuple[str, ...]:
    """Return the modules of the engines that these parameters open: what writes, and torch where it runs adapters."""
    writing = [CODE[config.writing_engine]] if config.writing_engine in CODE else []
    return (*writing, *([] if config.endpoint_adapters == "served" else [TORCH]))
