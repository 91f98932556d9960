"""Weights of four and eight bits for passes of one token, which take as long as reading the weights does.

A GGUF file holds 32 neighbours as scale x level + least with levels 0 to 15 (type Q4_1), or as scale x level with
levels -127 to 127 (Q8_0). The numbers that transformers makes of them give the levels back; so a product reads a fourth
of bfloat16's bytes, or half, and differs by no more than bfloat16 itself does [M: KL of the logits to float32 .0007,
and .0008 in bfloat16].
"""

from __future__ import annotations

from itertools import takewhile

import torch

from eagle.compute import torch_private

GROUP = 32
_LEVELS = 16
_ROWS = 256  # looked at together: what does not fit the processor's cache is slow
# of a level, that rounding may have moved a value [M: at most .04; a number that is no level is off by .25 on average]
_OFF = 0.1
# the same of eight bits, by the mean of a row, since rounding moves large values by up to a fourth of a level [M: .05]
_MEAN_OFF = 0.17


class FourBitWeight:
    """A frozen weight (out, in) as levels with a scale and a least value for each group of neighbours, for products in
    bfloat16.

    Eight bits are two times four: sixteens and ones side by side, each times the same input.
    """

    def __init__(self, levels: torch.Tensor, scales: torch.Tensor, least: torch.Tensor) -> None:
        """Pack levels (out, groups, GROUP) and what they mean, both (out, groups, 1)."""
        self._packed = torch_private.pack_four_bits(levels.flatten(1).int())
        middles = least + _LEVELS / 2 * scales  # torch's levels run from -8
        self._scales = torch.cat((scales, middles), dim=-1).transpose(0, 1).bfloat16().contiguous()

    @classmethod
    def of(cls, weight: torch.Tensor) -> FourBitWeight | None:
        """Find the levels of a weight; None where it has none,
        is no bfloat16 or has a shape that torch does not pack.
        """
        if weight.dtype != torch.bfloat16 or weight.shape[0] % _LEVELS or weight.shape[1] % GROUP:
            return None
        pieces = weight.detach().split(_ROWS)
        for levels in (_four_bits, _eight_bits):
            found = list(
                takewhile(bool, map(levels, pieces))
            )  # the first piece tells of most weights that they have none
            if len(found) == len(pieces):
                return cls(*map(torch.cat, zip(*found, strict=True)))
        return None

    def product(self, x: torch.Tensor) -> torch.Tensor:
        """Return (rows, out) = x W^T for x (rows, in)."""
        times = len(self._scales) * GROUP // x.shape[1]
        joined = x if times == 1 else torch.cat((x, x), dim=-1)
        return torch_private.four_bit_product(joined, self._packed, GROUP, self._scales)


def _four_bits(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None:
    """Return levels (rows, groups, GROUP), scales and least values by least squares, or None where a value is too far
    from its level.
    """
    values = weight.float().unflatten(1, (-1, GROUP))
    least, most = values.aminmax(dim=-1, keepdim=True)
    tiny = torch.finfo(values.dtype).tiny
    levels = ((values - least) / ((most - least) / (_LEVELS - 1)).clamp(min=tiny)).round()
    mean, middle = values.mean(-1, keepdim=True), levels.mean(-1, keepdim=True)
    apart = levels - middle
    scales = (apart * (values - mean)).sum(-1, keepdim=True) / apart.square().sum(-1, keepdim=True).clamp(min=tiny)
    off = (values - mean - scales * apart).abs()
    return None if (off > _OFF * scales).any() else (levels, scales, mean - scales * middle)


def _eight_bits(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None:
    """Return the same for levels -127 to 127, with twice the groups: those of the sixteens, then those of the ones."""
    values = weight.float().unflatten(1, (-1, GROUP))
    tiny = torch.finfo(values.dtype).tiny
    most = values.abs().amax(-1, keepdim=True)  # level 127 or -127
    levels = (values / (most / 127).clamp(min=tiny)).round()
    scales = (levels * values).sum(-1, keepdim=True) / levels.square().sum(-1, keepdim=True).clamp(min=tiny)
    off = (values - scales * levels).abs().sum((1, 2))
    if (off > _MEAN_OFF * GROUP * scales.sum((1, 2))).any():
        return None
    sixteens = torch.div(levels + 128, _LEVELS, rounding_mode="floor")
    ones = levels + 128 - _LEVELS * sixteens
    return (
        torch.cat((sixteens, ones), 1),
        torch.cat((_LEVELS * scales, scales), 1),
        torch.cat((-128 * scales, torch.zeros_like(scales)), 1),
    )
