"""From parameters to a ready language model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eagle.config import LLMConfig
from eagle.core import costs
from eagle.core.artifacts import content_hash
from eagle.core.errors import user_error
from eagle.engine.base import LanguageModel, engine_code

if TYPE_CHECKING:
    from eagle.engine.torch.model import TorchModel

_ENDPOINT_PACKAGES = ("anyio", "httpx2", "openai")


def open_language_model(
    config: LLMConfig, folder: Path, cache: Path | None = None, *, single: bool = False
) -> LanguageModel:
    """Open the engine that ``llm.engine`` names, over the model in ``folder`` (models/llm).

    Engine auto takes the endpoint where one is set, else torch, and says so. ``cache``: file in which completions are
    remembered (`eagle.engine.cache`) unless ``llm.cache`` is off or work is done on other machines, which must not
    share the file; None remembers
    none. ``single``: somebody waits for one text at a time, which torch on a processor then writes quicker. What the
    model reads and writes from here on counts towards the costs of the stage that is running.
    """
    model = _open(config, folder, cache if config.cache and config.on_one_machine else None, single)
    costs.register(model.usage)
    return model


def model_identity(config: LLMConfig, folder: Path) -> dict[str, Any]:
    """Return what decides a model's texts, without opening it: its files, its parameters, and this room's code, the
    prompts included.
    """
    return {"files": content_hash(folder), "llm": config.decisive(), "code": engine_code()}


def _open(config: LLMConfig, folder: Path, cache: Path | None, single: bool) -> LanguageModel:
    engine = config.engine if config.engine != "auto" else "openai" if config.endpoint else "torch"
    if engine == "torch":
        here = _torch(config, folder, single)
        _say(config, f"torch on {here.device} in {str(here.dtype).removeprefix('torch.')}", "no llm.endpoint is set")
        return _remembered(here, cache)
    remote = _remembered(_endpoint(config, folder), cache)
    _say(config, "openai", f"llm.endpoint is {config.endpoint}")
    if config.endpoint_adapters == "served":
        return remote
    from eagle.engine.routed import RoutedModel

    return RoutedModel(remote, lambda: _remembered(_torch(config, folder, single), cache))


def _say(config: LLMConfig, picked: str, why: str) -> None:
    if config.engine == "auto":
        print(f"language model: engine {picked}, since {why}", file=sys.stderr, flush=True)


def _torch(config: LLMConfig, folder: Path, single: bool) -> TorchModel:
    from eagle.engine.torch.model import TorchModel

    return TorchModel(folder, dtype=config.dtype, device=config.device, batch_rows=config.batch_rows, single=single)


def _endpoint(config: LLMConfig, folder: Path) -> LanguageModel:
    if not config.endpoint:
        raise user_error(
            "llm.engine is openai, but no endpoint is set",
            mend="set llm.endpoint, such as http://localhost:8000/v1, in params.yaml",
        )
    try:
        from eagle.engine.openai.model import OpenAIModel
    except ModuleNotFoundError as error:
        if error.name not in _ENDPOINT_PACKAGES:
            raise
        raise user_error(f"an endpoint needs the package {error.name}", mend="pip install -e '.[endpoint]'") from None
    return OpenAIModel(
        config.endpoint,
        folder,
        model=config.endpoint_model,
        concurrency=config.requests,
        timeout=config.timeout,
        retries=config.retries,
        token_budget=_share(config.token_budget, config.workers if config.cluster else 1),
        failures_at_most=config.failures_at_most,
    )


def _share(budget: int, workers: int) -> int:
    """Return what one of several workers, each with a line of its own, may spend; 0 stays without limit."""
    return max(1, budget // workers) if budget else 0


def _remembered(model: LanguageModel, cache: Path | None) -> LanguageModel:
    if cache is None:
        return model
    from eagle.engine.cache import CachedModel, CompletionStore

    return CachedModel(model, CompletionStore(cache))
