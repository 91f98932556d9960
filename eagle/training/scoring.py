"""What a policy says of many decisions, without gradients, and what that is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from eagle.core.progress import track
from eagle.policies.lora import LoraPolicy
from eagle.training.decisions import Decision

#: Prompts scored together.
CHUNK = 16


def among_choices(log_pi: torch.Tensor, decision: Decision) -> torch.Tensor:
    """Return log pi ``(n_choices,)`` given that the action is one of the decision's choices, as redrawing makes it."""
    kept = log_pi[torch.from_numpy(decision.available).to(log_pi.device)]
    return kept - kept.logsumexp(0)


def score_decisions(policy: LoraPolicy, decisions: Sequence[Decision], shown: str | None = None) -> list[torch.Tensor]:
    """Return log pi over each decision's whole list, ``(K,)`` each; ``shown``: label of a progress bar."""
    starts = range(0, len(decisions), CHUNK)
    found: list[torch.Tensor] = []
    with torch.no_grad():
        for start in track(starts, shown, unit="batch") if shown else starts:
            part = decisions[start : start + CHUNK]
            found += policy.log_policies([d.prompt for d in part], [d.actions for d in part])
    return found


def expected_values(
    decisions: Sequence[Decision], log_pi: Sequence[torch.Tensor], temperature: float = 1.0
) -> np.ndarray:
    """Return sum_a pi(a) Q(a) over each decision's choices, pi drawn from at ``temperature`` (above 0)."""
    chances = [
        (among_choices(lp, d).double() / temperature).softmax(0).cpu().numpy()
        for d, lp in zip(decisions, log_pi, strict=True)
    ]
    return np.array([float(chance @ d.stakes) for d, chance in zip(decisions, chances, strict=True)])
