"""Figures taken now and then during training: held-out value, who gets what, and what the policy writes when it is free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from eagle.policies.listed import is_valid_action
from eagle.policies.lora import LoraPolicy
from eagle.training.all_action import as_policies, information
from eagle.training.decisions import Decision

#: Prompts scored together.
CHUNK = 16


def score_decisions(policy: LoraPolicy, decisions: Sequence[Decision]) -> list[torch.Tensor]:
    """Return log pi over each decision's list, without gradients."""
    found: list[torch.Tensor] = []
    with torch.no_grad():
        for start in range(0, len(decisions), CHUNK):
            part = decisions[start : start + CHUNK]
            found += policy.score_lists([d.prompt for d in part], [d.actions for d in part])[0]
    return found


def expected_values(decisions: Sequence[Decision], log_pi: Sequence[torch.Tensor]) -> np.ndarray:
    """Return sum_a pi(a) Q(a) of each decision."""
    return np.array([float(lp.exp().double().cpu().numpy() @ d.values) for d, lp in zip(decisions, log_pi, strict=True)])


@dataclass
class Watch:
    """Held-out decisions at the anchors themselves, users times anchors, fixed for the whole run."""

    policy: LoraPolicy
    decisions: Sequence[Decision]
    temperature: float
    seed: int
    reference: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        if self.decisions:
            with self.policy.as_reference():
                self.reference = expected_values(self.decisions, score_decisions(self.policy, self.decisions))

    def __call__(self) -> dict[str, Any]:
        """Return the validation figures; empty where there is nothing held out."""
        if not self.decisions:
            return {}
        log_pi = score_decisions(self.policy, self.decisions)
        gained = expected_values(self.decisions, log_pi)
        policies = as_policies(self.decisions, log_pi)
        anchors = sorted({d.state.anchor for d in self.decisions})
        per_anchor = [[p for p, d in zip(policies, self.decisions, strict=True) if d.state.anchor == a] for a in anchors]
        written = self.policy.write([d.prompt for d in self.decisions[: 2 * CHUNK]], self.temperature, self.seed)
        listed = [w.text in d.actions for w, d in zip(written, self.decisions, strict=False)]
        return {
            "validation_utility": float(gained.mean()),
            "validation_gain": float((gained - self.reference).mean()),
            "user_information": float(np.mean([information(p) for p in per_anchor])),
            "valid_share": float(np.mean([w.ended and is_valid_action(w.text) for w in written])),
            "listed_share": float(np.mean(listed)),
        }
