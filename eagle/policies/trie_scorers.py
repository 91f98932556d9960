"""Scores of listed actions for agents that act: one opened policy for all adapters of one shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from eagle.compute.devices import placement
from eagle.config import Config
from eagle.policies.adapters import same_shape
from eagle.policies.agents import ListScorer
from eagle.policies.lora import LoraPolicy

SCORED_TOGETHER = 16  # prompts; bounds memory
REMEMBERED = 50_000  # lists of scores: some 10 MB


@dataclass
class TrieScorers:
    """Score listed actions through the trie, over one policy that is opened when first asked: adapters of one shape
    take turns in it.
    """

    config: Config
    base: Path
    _scored: dict[tuple[Path, str, tuple[str, ...]], np.ndarray] = field(default_factory=dict)
    _policy: LoraPolicy | None = None
    _adapter: Path | None = None

    def of(self, adapter: Path) -> ListScorer:
        """Return the scorer of one adapter: log pi over each list, (K,) per prompt.

        A search asks for one prompt again and again; its scores are remembered, the last ``REMEMBERED`` of them.
        """
        return partial(self._remembered, adapter)

    def _remembered(self, adapter: Path, prompts: Sequence[str], lists: Sequence[Sequence[str]]) -> list[np.ndarray]:
        asked = [(adapter, prompt, tuple(actions)) for prompt, actions in zip(prompts, lists, strict=True)]
        new = [key for key in dict.fromkeys(asked) if key not in self._scored]
        if new:
            scores = self._score(adapter, [prompt for _, prompt, _ in new], [actions for _, _, actions in new])
            self._scored |= dict(zip(new, scores, strict=True))
        found = [self._scored[key] for key in asked]
        while len(self._scored) > REMEMBERED:
            del self._scored[next(iter(self._scored))]
        return found

    def _score(self, adapter: Path, prompts: Sequence[str], lists: Sequence[Sequence[str]]) -> list[np.ndarray]:
        import torch

        policy, found = self._opened(adapter), []
        with torch.no_grad():
            for start in range(0, len(prompts), SCORED_TOGETHER):
                part = slice(start, start + SCORED_TOGETHER)
                found += [row.double().cpu().numpy() for row in policy.log_policies(prompts[part], lists[part])]
        return found

    def _opened(self, adapter: Path) -> LoraPolicy:
        if self._policy is None or self._adapter is None or not same_shape(adapter, self._adapter):
            self._policy = LoraPolicy.load(self.base, adapter, **placement(self.config.llm))
        elif adapter != self._adapter:
            self._policy.take(adapter)
        self._adapter = adapter
        return self._policy
