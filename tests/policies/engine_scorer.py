"""Scores of listed actions by a language model's own ``score``, for agents over scripted models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eagle.engine.base import LanguageModel
from eagle.policies.prompt import ACTION_END, ACTION_PREFIX


@dataclass(frozen=True)
class EngineScorer:
    """A :class:`~eagle.policies.agents.ListScorer` under whatever adapter is loaded."""

    model: LanguageModel

    def __call__(self, prompts: Sequence[str], lists: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return the log-probability of every complete action (whole vocabulary)."""
        rows = [(p, ACTION_PREFIX + a + ACTION_END) for p, actions in zip(prompts, lists, strict=True) for a in actions]
        scores = [float(s.sum()) for s in self.model.score([p for p, _ in rows], [c for _, c in rows])]
        ends = np.cumsum([len(actions) for actions in lists])
        return [np.array(part) for part in np.split(scores, ends[:-1])]
