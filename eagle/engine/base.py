"""What every language-model engine offers: text with token ids and log-probabilities, one seed per row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from eagle.core.errors import EagleError, Problem

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


def before_stop(text: str, stop: Iterable[str]) -> str | None:
    """Return what stands before the first of the stop strings; None where the text has none."""
    found = [text.index(s) for s in stop if s in text]
    return text[: min(found)] if found else None


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
    ``computed_tokens`` counts what went through the network; ``remembered_tokens`` are new tokens that a cache had.

    Faults: ``repeated`` requests, ``failed`` texts that got no answer, batches ``halved`` because memory ran out."""

    prompt_tokens: int = 0
    new_tokens: int = 0
    computed_tokens: int = 0
    remembered_tokens: int = 0
    calls: int = 0
    repeated: int = 0
    failed: int = 0
    halved: int = 0
    seconds: float = 0.0

    def copy(self) -> Usage:
        return Usage(**vars(self))


class Unfinished(EagleError):
    """An engine had to stop in the middle of a call; ``done`` holds the completions it has, by row, for a cache to
    keep.
    """

    def __init__(self, problems: Problem | Iterable[Problem], done: Mapping[int, Completion] | None = None) -> None:
        super().__init__(problems)
        self.done = dict(done or {})


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in the middle of a call; ``done`` as in :class:`Unfinished`, for what was paid for."""

    def __init__(self, done: Mapping[int, Completion]) -> None:
        super().__init__()
        self.done = dict(done)


@runtime_checkable
class LanguageModel(Protocol):
    """The seam.

    ``fingerprint`` identifies the weights; ``arithmetic`` names what else decides a text (code, dtype, device).
    ``batch_invariant`` says whether a row's text is the same whatever rows stand beside it. A cache needs all three.
    """

    name: str
    fingerprint: str
    batch_invariant: bool
    usage: Usage

    @property
    def arithmetic(self) -> str: ...

    def generate(
        self, prompts: Sequence[str], spec: SamplingSpec, seeds: Sequence[int], forbidden: Sequence[Sequence[str]] = ()
    ) -> list[Completion]:
        """Continue every prompt; a row's draws depend on its own seed only. Long common prefixes are computed once.

        ``without``: by row, texts that it should not come out as. An engine that can (torch, at a temperature above 0)
        draws given that none of them is written; others may write them all the same, and who asks has to look.
        """
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
