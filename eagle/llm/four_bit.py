"""Four-bit weights for passes of one token, which take as long as reading the weights does.

A GGUF file of type Q4_1 holds 32 neighbours as scale x level + least, with levels 0 to 15. The numbers that transformers makes of them
give the levels back; so a product reads a fourth of bfloat16's bytes and differs by no more than bfloat16 itself does [M: KL of the
logits to float32 .0008 either way].
"""

from __future__ import annotations

import torch

GROUP = 32
_LEVELS = 16
_OFF = 0.1  # of a level, that rounding may have moved a value [M: at most .04; a number that is no level is off by .25 on average]


class FourBitWeight:
    """A frozen weight (out, in) as levels with a scale and a least value for each group of neighbours, for products in bfloat16."""

    def __init__(self, levels: torch.Tensor, scales: torch.Tensor, least: torch.Tensor) -> None:
        """Pack levels (out, groups, GROUP) and what they mean, both (out, groups, 1)."""
        self._packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(levels.flatten(1).int(), 1)
        middles = least + _LEVELS / 2 * scales  # torch's levels run from -8
        self._scales = torch.cat((scales, middles), dim=-1).transpose(0, 1).bfloat16().contiguous()

    @classmethod
    def of(cls, weight: torch.Tensor) -> FourBitWeight | None:
        """Find the levels of a weight; None where it has none, is no bfloat16 or has a shape that torch does not pack."""
        if weight.dtype != torch.bfloat16 or weight.shape[0] % _LEVELS or weight.shape[1] % GROUP:
            return None
        found = _levels(weight[:1]) and _levels(weight)  # a row tells of most weights that they have none
        return cls(*found) if found else None

    def product(self, x: torch.Tensor) -> torch.Tensor:
        """Return (rows, out) = x W^T for x (rows, in)."""
        product: torch.Tensor = torch.ops.aten._weight_int4pack_mm_for_cpu(x, self._packed, GROUP, self._scales)
        return product


def _levels(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None:
    """Return levels (rows, groups, GROUP), scales and least values by least squares, or None where a value is too far from its level."""
    values = weight.detach().float().unflatten(1, (-1, GROUP))
    least, most = values.aminmax(dim=-1, keepdim=True)
    tiny = torch.finfo(values.dtype).tiny
    levels = ((values - least) / ((most - least) / (_LEVELS - 1)).clamp(min=tiny)).round()
    mean, middle = values.mean(-1, keepdim=True), levels.mean(-1, keepdim=True)
    apart = levels - middle
    scales = (apart * (values - mean)).sum(-1, keepdim=True) / apart.square().sum(-1, keepdim=True).clamp(min=tiny)
    off = (values - mean - scales * apart).abs()
    return None if (off > _OFF * scales).any() else (levels, scales, mean - scales * middle)
