"""Scores of listed actions for agents that act: one opened policy for all adapters of one shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from eagle.compute.devices import pick_device, pick_dtype
from eagle.config import Config
from eagle.policies.adapters import same_shape
from eagle.policies.agents import ListScorer
from eagle.policies.lora import LoraPolicy

SCORED_TOGETHER = 16  # prompts; bounds memory


@dataclass
class TrieScorers:
    """Score listed actions through the trie, over one policy that is opened when first asked: adapters of one shape
    take turns in it.
    """

    config: Config
    base: Path
    _policy: LoraPolicy | None = None
    _adapter: Path | None = None

    def of(self, adapter: Path) -> ListScorer:
        """Return the scorer of one adapter: log pi over each list, (K,) per prompt."""
        return partial(self._score, adapter)

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
            device = pick_device(self.config.llm.device)
            self._policy = LoraPolicy.load(
                self.base, adapter, dtype=pick_dtype(self.config.llm.dtype, device), device=device
            )
        elif adapter != self._adapter:
            self._policy.take(adapter)
        self._adapter = adapter
        return self._policy
