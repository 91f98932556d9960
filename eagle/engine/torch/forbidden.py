"""Texts that a row must not come out as: the draw is from the model's distribution given that none of them is written.

Drawing again until another text comes has the same distribution, and costs a text for each try: of what a trained
policy wrote at the second change, seven in ten were the first action again. Here the chance of each forbidden text
completed is known beforehand (one pass of scoring), and at every token on the way to one, the probability of the next
token is multiplied by the chance that the text does not end as a forbidden one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

#: What is left of a token that leads to nothing but a forbidden text, whatever rounding says.
_LEAST = 1e-12


@dataclass(frozen=True)
class ForbiddenTexts:
    """Distinct token sequences, each with what ends it, and ``log_probs`` of their tokens given those before, as they
    will be drawn.
    """

    sequences: Sequence[Sequence[int]]
    log_probs: Sequence[np.ndarray]

    def left(self, tokens: Sequence[int]) -> dict[int, float]:
        """Return, for tokens that may come next on the way to a forbidden text, the chance of not ending as one after
        them.
        """
        chances: dict[int, float] = {}
        at = len(tokens)
        for sequence, log_probs in zip(self.sequences, self.log_probs, strict=True):
            if at < len(sequence) and list(sequence[:at]) == list(tokens):
                ends_so = float(np.exp(log_probs[at + 1 :].sum()))
                chances[sequence[at]] = chances.get(sequence[at], 1.0) - ends_so
        return {token: max(chance, _LEAST) for token, chance in chances.items()}


def bend(logits: torch.Tensor, left: dict[int, dict[int, float]], temperature: float) -> torch.Tensor:
    """Return logits (rows, vocabulary) in float32 from which a draw at ``temperature`` keeps clear of what is
    forbidden, by row.
    """
    bent = logits.float().clone()
    for row, chances in left.items():
        tokens = torch.tensor(list(chances), device=logits.device)
        bent[row, tokens] += (
            temperature * torch.tensor(list(chances.values()), dtype=torch.float64, device=logits.device).log().float()
        )
    return bent
