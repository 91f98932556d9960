"""A language model that reads points of the latent space: an adapter in front of it, a LoRA adapter inside.

1. Follows ELM (arXiv 2310.04475): soft tokens stand in a text prompt that asks for the item's description.
2. The prompt is the chat of the environment's own model, its answer opened with the name of the first field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from eagle.domains.base import Domain
from eagle.engine.base import Completion, SamplingSpec
from eagle.engine.tokenizer import rendered, tokenized
from eagle.engine.torch.rows import DecodingRow
from eagle.engine.torch.sampling import uniforms
from eagle.environment.prompts import opening
from eagle.methods.elm.adapter import PointAdapter
from eagle.policies.lora_model import LoraModel
from eagle.policies.prompt import ACTION_END

_POINT = "\x00"  # where the soft tokens stand while the chat is rendered
_WEIGHTS = "point_adapter.safetensors"
_LORA = "lora"


@dataclass(frozen=True)
class PointPrompt:
    """Token ids before and behind the soft tokens, and what the answer opens with."""

    before: tuple[int, ...]
    behind: tuple[int, ...]
    opening: str

    @classmethod
    def of(cls, tokenizer: Any, domain: Domain) -> PointPrompt:
        """Return the prompt of a domain."""
        labels, body = domain.fields.labels.lower(), domain.fields.body.lower()
        order = f", {labels} first, then its {body}" if labels else ""
        asked = f"Describe this {domain.noun} in one line{order}:"
        messages = [("system", f"You describe a {domain.noun}."), ("user", f"{asked} {_POINT}")]
        parts = rendered(tokenizer, messages, opening(domain)).split(_POINT)
        before, behind = tokenized(tokenizer, parts)
        return cls(tuple(before), tuple(behind), opening(domain))


class PointModel:
    """Adapter, language model and prompt as one: points in, texts out."""

    def __init__(self, language_model: LoraModel, adapter: PointAdapter, prompt: PointPrompt) -> None:
        self.language_model, self.prompt = language_model, prompt
        self.adapter = adapter.to(language_model.device)
        self._vocabulary = len(language_model.embeddings)

    # files ---------------------------------------------------------------------------------------------------
    @classmethod
    def load(
        cls, model: Path, folder: Path, domain: Domain, *, dtype: torch.dtype, device: torch.device | str
    ) -> PointModel:
        """Open what :meth:`save` wrote over the language model in ``model``; another model is an EagleError."""
        language_model = LoraModel.load(model, folder / _LORA, dtype=dtype, device=device)
        weights = load_file(folder / _WEIGHTS)
        hidden, dimension = weights["first.weight"].shape
        width = language_model.embeddings.shape[1]
        adapter = PointAdapter(dimension, hidden, len(weights["second.bias"]) // width, width)
        adapter.load_state_dict(weights)
        return cls(language_model, adapter.eval(), PointPrompt.of(language_model.tokenizer, domain))

    def save(self, folder: Path) -> None:
        """Write the adapter's weights and the LoRA adapter's folder into ``folder``, which exists."""
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in self.adapter.state_dict().items()}
        save_file(state, folder / _WEIGHTS)
        self.language_model.save(folder / _LORA, name="elm", kind="elm")

    # reading -------------------------------------------------------------------------------------------------
    def soft(self, points: np.ndarray) -> tuple[torch.Tensor, list[list[int]]]:
        """Return the soft tokens (n * m, width) of points (n, d), and the prompt of each as token ids."""
        found = self.adapter(torch.as_tensor(points, dtype=torch.float32, device=self.language_model.device))
        places = self._vocabulary + np.arange(found.shape[0] * found.shape[1]).reshape(found.shape[:2])
        prompts = [[*self.prompt.before, *row, *self.prompt.behind] for row in places.tolist()]
        return found.flatten(0, 1), prompts

    def answer_tokens(self, text: str) -> list[int]:
        """Return the tokens that should follow the prompt: the text behind its opening, and the end of the line."""
        said, end = tokenized(self.language_model.tokenizer, [text.removeprefix(self.prompt.opening), ACTION_END])
        return [*said, *end]

    def log_probs(self, points: np.ndarray, texts: Sequence[str]) -> torch.Tensor:
        """Return log-probabilities (n_tokens,) of all tokens of ``texts``, one for each of ``points`` (n, d)."""
        soft, prompts = self.soft(points)
        return self.language_model.score_lines(prompts, [self.answer_tokens(text) for text in texts], soft)

    # writing -------------------------------------------------------------------------------------------------
    @torch.inference_mode()
    def write(self, points: np.ndarray, seeds: Sequence[int], spec: SamplingSpec) -> list[Completion]:
        """Decode each of ``points`` (n, d) into a text; a row's draws depend on its own seed alone.

        The text is without the opening, see :class:`PointPrompt`.
        """
        if not len(points):
            return []
        distinct, place = np.unique(np.asarray(points, np.float32), axis=0, return_inverse=True)
        soft, prompts = self.soft(distinct)
        draws = uniforms(seeds, spec.max_new_tokens)
        rows = [DecodingRow(n, list(prompts[point]), draws[n]) for n, point in enumerate(place.tolist())]
        self.language_model.decode(rows, spec, soft)
        return [Completion(row.text, tuple(row.tokens), tuple(row.log_probs), row.finish or "stop") for row in rows]
