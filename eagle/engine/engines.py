"""How an engine is found, and what opens each of the built-in ones.

An engine is opened by ``Name(config, folder, single=...)``: the section ``llm`` of params.yaml, the model's folder
(models/llm, in transformers' layout), and whether somebody waits for one text at a time, which may be ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from eagle.built_in.engines import ENGINES
from eagle.config import LLMConfig
from eagle.core.errors import user_error
from eagle.core.parts import load_part
from eagle.engine.base import LanguageModel

if TYPE_CHECKING:
    from eagle.engine.scripted import ScriptedModel
    from eagle.engine.torch.model import TorchModel

_ENDPOINT_PACKAGES = ("anyio", "httpx2", "openai")


def engine_opener(kind: str) -> Callable[..., LanguageModel]:
    """Return what opens the engine that ``llm.engine`` names (not auto); EagleError where there is none."""
    found: Callable[..., LanguageModel] = load_part("engine", kind, ENGINES)
    return found


def open_torch(config: LLMConfig, folder: Path, *, single: bool = False) -> TorchModel:
    """Open the model here."""
    from eagle.engine.torch.model import TorchModel

    return TorchModel(folder, dtype=config.dtype, device=config.device, batch_rows=config.batch_rows, single=single)


def open_endpoint(config: LLMConfig, folder: Path, *, single: bool = False) -> LanguageModel:
    """Connect with ``llm.endpoint``; EagleError where none is set or a package is missing."""
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
        raise user_error(
            f"an endpoint needs the package {error.name}", mend="pip install 'eagle-steering[endpoint]'"
        ) from None
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


def open_scripted(config: LLMConfig, folder: Path, *, single: bool = False) -> ScriptedModel:
    """Return an engine that writes the same few lines whatever it is asked, for trying a pipeline out."""
    from eagle.engine.scripted import ScriptedModel

    return ScriptedModel()


def _share(budget: int, workers: int) -> int:
    """Return what one of several workers, each with a line of its own, may spend; 0 stays without limit."""
    return max(1, budget // workers) if budget else 0
