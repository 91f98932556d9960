"""From parameters to a ready language model."""

from __future__ import annotations

import sys
from pathlib import Path

from eagle.config import LLMConfig
from eagle.core import costs
from eagle.engine.base import LanguageModel
from eagle.engine.engines import engine_opener, open_torch


def open_language_model(
    config: LLMConfig, folder: Path, cache: Path | None = None, *, single: bool = False
) -> LanguageModel:
    """Open the engine that ``llm.engine`` names, over the model in ``folder`` (models/llm).

    Engine auto takes the endpoint where one is set, else torch, and says so. Where another engine than torch writes,
    torch here runs the agents' adapters, unless ``llm.endpoint_adapters`` is "served".

    ``cache``: file in which completions are remembered (`eagle.engine.cache`) unless ``llm.cache`` is off or work is
    done on other machines, which must not share the file; None remembers none. ``single``: somebody waits for one text
    at a time, which torch on a processor then writes quicker. What the model reads and writes from here on counts
    towards the costs of the stage that is running.
    """
    model = _open(config, folder, cache if config.cache and config.on_one_machine else None, single)
    costs.register(model.usage)
    return model


def _open(config: LLMConfig, folder: Path, cache: Path | None, single: bool) -> LanguageModel:
    if config.writing_engine == "torch":
        here = open_torch(config, folder, single=single)
        _say(config, f"torch on {here.device} in {str(here.dtype).removeprefix('torch.')}", "no llm.endpoint is set")
        return _remembered(here, cache)
    remote = _remembered(engine_opener(config.writing_engine)(config, folder, single=single), cache)
    _say(config, "openai", f"llm.endpoint is {config.endpoint}")
    if config.endpoint_adapters == "served":
        return remote
    from eagle.engine.routed import RoutedModel

    return RoutedModel(remote, lambda: _remembered(open_torch(config, folder, single=single), cache))


def _say(config: LLMConfig, picked: str, why: str) -> None:
    if config.engine == "auto":
        print(f"language model: engine {picked}, since {why}", file=sys.stderr, flush=True)


def _remembered(model: LanguageModel, cache: Path | None) -> LanguageModel:
    if cache is None:
        return model
    from eagle.engine.cache import CachedModel, CompletionStore

    return CachedModel(model, CompletionStore(cache))
