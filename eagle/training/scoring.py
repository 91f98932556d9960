"""What a policy says of many decisions, without gradients, and what that is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from eagle.policies.lora import LoraPolicy
from eagle.progress import track
from eagle.training.decisions import Decision

#: Prompts scored together.
CHUNK = 16


def score_decisions(policy: LoraPolicy, decisions: Sequence[Decision], shown: str | None = None) -> list[torch.Tensor]:
    """Return log pi over each decision's list, ``(K,)`` each; ``shown``: label of a progress bar."""
    starts = range(0, len(decisions), CHUNK)
    found: list[torch.Tensor] = []
    with torch.no_grad():
        for start in track(starts, shown, unit="batch") if shown else starts:
            part = decisions[start : start + CHUNK]
            found += policy.score_lists([d.prompt for d in part], [d.actions for d in part])[0]
    return found


def expected_values(decisions: Sequence[Decision], log_pi: Sequence[torch.Tensor], temperature: float = 1.0) -> np.ndarray:
    """Return sum_a pi(a) Q(a) of each decision, pi drawn from at ``temperature`` (above 0)."""
    chances = [(lp.double() / temperature).softmax(0).cpu().numpy() for lp in log_pi]
    return np.array([float(chance @ d.values) for d, chance in zip(decisions, chances, strict=True)])
