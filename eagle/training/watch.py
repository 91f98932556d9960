"""Figures taken now and then during training: held-out value, who gets what, and what the policy writes when it is
free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from eagle.actions.candidate_list import is_valid_action
from eagle.policies.lora import LoraPolicy
from eagle.training.all_action import as_policies, information
from eagle.training.decisions import Decision
from eagle.training.records import Row
from eagle.training.scoring import expected_values, score_decisions

if TYPE_CHECKING:
    import torch

#: Prompts after which the policy writes freely.
WRITTEN = 32


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
                self.reference = self._values(score_decisions(self.policy, self.decisions))

    def _values(self, log_pi: Sequence[torch.Tensor]) -> np.ndarray:
        # An agent acts at its own temperature; a greedy one is judged at a low one.
        return expected_values(self.decisions, log_pi, max(self.temperature, 0.05))

    def __call__(self) -> Row:
        """Return the validation figures; empty where there is nothing held out."""
        if not self.decisions:
            return {}
        log_pi = score_decisions(self.policy, self.decisions)
        gained = self._values(log_pi)
        policies = as_policies(self.decisions, log_pi)
        anchors = sorted({d.state.anchor for d in self.decisions})
        per_anchor = [
            [p for p, d in zip(policies, self.decisions, strict=True) if d.state.anchor == a] for a in anchors
        ]
        written = self.policy.write([d.prompt for d in self.decisions[:WRITTEN]], self.temperature, self.seed)
        candidates = [w.text in d.actions for w, d in zip(written, self.decisions, strict=False)]
        return {
            "validation_utility": float(gained.mean()),
            "validation_gain": float((gained - self.reference).mean()),
            "user_information": float(np.mean([information(p) for p in per_anchor])),
            "valid_share": float(np.mean([w.ended and is_valid_action(w.text) for w in written])),
            "listed_share": float(np.mean(candidates)),
        }
