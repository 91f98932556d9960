"""What every language-model engine offers: text with token ids and log-probabilities, one seed per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np

Finish = Literal["stop", "length", "error"]


@dataclass(frozen=True)
class SamplingSpec:
    """How to draw tokens. ``temperature`` 0 is greedy; generation ends before the first of ``stop``."""

    max_new_tokens: int
    temperature: float
    top_p: float = 1.0
    stop: tuple[str, ...] = ("\n",)

    def __post_init__(self) -> None:
        wrong = {
            "max_new_tokens must be at least 1": self.max_new_tokens < 1,
            "temperature must not be negative": self.temperature < 0,
            "top_p must lie in (0, 1]": not 0 < self.top_p <= 1,
            "stop strings must not be empty": "" in self.stop,
        }
        if any(wrong.values()):
            raise ValueError("; ".join(message for message, bad in wrong.items() if bad) + f"; got {self}")


@dataclass(frozen=True)
class Completion:
    """One generated continuation.

    ``text`` is without the stop string. ``token_ids`` are all tokens drawn, including the one that ended
    the text; ``log_probs`` (natural log) are those of the model at temperature 1, untruncated, so that
    :meth:`LanguageModel.score` returns the same numbers. ``finish`` is "stop" (stop string or end of turn),
    "length" (``max_new_tokens`` reached) or "error", then with a ``cause``.
    """

    text: str
    token_ids: tuple[int, ...] = ()
    log_probs: tuple[float, ...] = ()
    finish: Finish = "stop"
    cause: str | None = None


@dataclass
class Usage:
    """Running counters. ``prompt_tokens`` counts a shared prefix once per row, as an endpoint would bill it;
    ``computed_tokens`` counts what went through the network."""

    prompt_tokens: int = 0
    new_tokens: int = 0
    computed_tokens: int = 0
    calls: int = 0
    seconds: float = 0.0

    def copy(self) -> Usage:
        return Usage(**vars(self))


@runtime_checkable
class LanguageModel(Protocol):
    """The seam. ``fingerprint`` identifies the weights, so that caches notice another model."""

    name: str
    fingerprint: str
    usage: Usage

    def generate(self, prompts: Sequence[str], spec: SamplingSpec, seeds: Sequence[int]) -> list[Completion]:
        """Continue every prompt; a row's draws depend on its own seed only. Long common prefixes are computed once."""
        ...

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> list[np.ndarray]:
        """Return, per row, the log-probability of each continuation token, float64 ``(n_tokens,)``."""
        ...

    def chat(self, messages: Sequence[tuple[str, str]], prefill: str = "") -> str:
        """Render (role, content) turns with the model's own template; ``prefill`` opens the assistant's turn."""
        ...

    def load_adapter(self, folder: Path | None) -> None:
        """Switch to a LoRA adapter in ``folder``, or back to the plain model with None."""
        ...
