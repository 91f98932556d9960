"""From parameters to a ready language model."""

from __future__ import annotations

from pathlib import Path

from eagle import costs
from eagle.config import LLMConfig
from eagle.errors import user_error
from eagle.llm.base import LanguageModel


def open_language_model(config: LLMConfig, folder: Path) -> LanguageModel:
    """Open the engine that ``llm.engine`` names, over the model in ``folder`` (models/llm).

    Engine auto takes the endpoint where one is set, else torch. What the model reads and writes from here on counts towards
    the costs of the stage that is running.
    """
    model = _open(config, folder)
    costs.register(model.usage)
    return model


def _open(config: LLMConfig, folder: Path) -> LanguageModel:
    if config.engine == "openai" or (config.engine == "auto" and config.endpoint):
        from eagle.llm.openai_engine import OpenAIModel

        if not config.endpoint:
            raise user_error(
                "llm.engine is openai, but no endpoint is set", mend="set llm.endpoint, such as http://localhost:8000/v1, in params.yaml"
            )
        return OpenAIModel(config.endpoint, folder, model=config.endpoint_model)
    from eagle.llm.torch_engine import TorchModel

    return TorchModel(folder, dtype=config.dtype, device=config.device, batch_rows=config.batch_rows)
