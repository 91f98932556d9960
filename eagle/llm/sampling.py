"""Drawing tokens by inverse CDF: one uniform number per row and step, so that a row never depends on its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

_FLOOR = 2e-4  # probabilities above this nearly always hold the nucleus: sorting those few replaces sorting the vocabulary


def uniforms(seeds: Sequence[int], steps: int) -> np.ndarray:
    """Return (n_rows, steps) float64 in [0, 1), each row from its own seed."""
    return np.stack([np.random.default_rng(seed).random(steps) for seed in seeds])


def choose(logits: torch.Tensor, draws: torch.Tensor, temperature: float, top_p: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and their log-probabilities at temperature 1, both (n,), from float32 logits (n, vocabulary).

    ``draws`` (n,) are uniform in [0, 1); temperature 0 takes the most probable token (the first of equals).
    """
    greedy = temperature == 0
    tokens = logits.argmax(dim=-1) if greedy else _draw(torch.softmax(logits / temperature, dim=-1), draws, top_p)
    log_probs = logits.gather(1, tokens[:, None])[:, 0] - torch.logsumexp(logits, dim=-1)
    return tokens, log_probs


def _draw(probabilities: torch.Tensor, draws: torch.Tensor, top_p: float) -> torch.Tensor:
    if top_p >= 1:
        return _inverse_cdf(probabilities, draws)
    likely = probabilities > _FLOOR
    enough = (probabilities * likely).sum(dim=-1) > top_p
    tokens = torch.empty(len(probabilities), dtype=torch.long, device=probabilities.device)
    if enough.any():
        tokens[enough] = _draw_likely(probabilities[enough], likely[enough], draws[enough], top_p)
    if not enough.all():
        values, order = probabilities[~enough].sort(dim=-1, descending=True, stable=True)
        tokens[~enough] = _from_sorted(values, order, draws[~enough], top_p)
    return tokens


def _draw_likely(probabilities: torch.Tensor, likely: torch.Tensor, draws: torch.Tensor, top_p: float) -> torch.Tensor:
    """Sort only the tokens above the floor, packed to the left of a narrow table."""
    row, column = likely.nonzero(as_tuple=True)
    counts = likely.sum(dim=-1)
    starts = counts.cumsum(0) - counts
    place = torch.arange(len(row), device=row.device) - starts[row]
    shape = (len(probabilities), int(counts.max()))
    packed = probabilities.new_zeros(shape)
    ids = torch.zeros(shape, dtype=torch.long, device=row.device)
    packed[row, place] = probabilities[row, column]
    ids[row, place] = column
    values, order = packed.sort(dim=-1, descending=True, stable=True)
    return _from_sorted(values, ids.gather(1, order), draws, top_p)


def _from_sorted(values: torch.Tensor, ids: torch.Tensor, draws: torch.Tensor, top_p: float) -> torch.Tensor:
    """Keep the smallest head of the descending ``values`` whose mass reaches top_p, and draw from it."""
    mass_before = values.double().cumsum(dim=-1) - values
    kept = values * (mass_before < top_p)
    return ids.gather(1, _inverse_cdf(kept, draws)[:, None])[:, 0]


def _inverse_cdf(weights: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
    """Return the first index at which the cumulated weights (n, k) exceed draw times their sum."""
    cumulated = weights.double().cumsum(dim=-1)
    target = draws.double()[:, None] * cumulated[:, -1:]
    index = torch.searchsorted(cumulated, target, right=True)[:, 0]
    last = weights.shape[1] - 1 - (weights > 0).flip(-1).int().argmax(dim=-1)  # rounding must not reach a weight of 0
    return torch.minimum(index, last)
