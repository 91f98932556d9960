"""The environment at an endpoint, the agents' adapters here:
one language model whose rows are written in two places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from eagle.engine.base import Completion, LanguageModel, SamplingSpec


class RoutedModel:
    """A :class:`~eagle.engine.base.LanguageModel`: ``remote`` while no adapter is loaded, else a local one, opened when
    first needed.
    """

    def __init__(self, remote: LanguageModel, open_local: Callable[[], LanguageModel]) -> None:
        self._remote = self._active = remote
        self._open_local = open_local
        self._local: LanguageModel | None = None
        self.name = remote.name
        self.fingerprint = remote.fingerprint
        self.arithmetic = remote.arithmetic
        self.batch_invariant = remote.batch_invariant
        self.usage = remote.usage

    def generate(
        self, prompts: Sequence[str], spec: SamplingSpec, seeds: Sequence[int], forbidden: Sequence[Sequence[str]] = ()
    ) -> list[Completion]:
        """Continue every prompt where it belongs; see :class:`~eagle.engine.base.LanguageModel`."""
        return self._active.generate(prompts, spec, seeds, forbidden)

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> list[np.ndarray]:
        """Return log-probabilities of every continuation token."""
        return self._active.score(prompts, continuations)

    def chat(self, messages: Sequence[tuple[str, str]], prefill: str = "") -> str:
        """Render turns; both places have the same template."""
        return self._remote.chat(messages, prefill)

    def load_adapter(self, folder: Path | None) -> None:
        """Go on here with the adapter in ``folder``, or at the endpoint with None."""
        if folder is None:
            self._active = self._remote
            return
        if self._local is None:
            self._local = self._open_local()
            self._local.usage = self.usage  # one account for both
        self._local.load_adapter(folder)
        self._active = self._local
