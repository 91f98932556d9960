"""Every function of torch that its documentation does not promise, in one place.

Another release of torch may rename or change them, so pyproject.toml bounds torch above, and
tests/compute/test_torch_private.py calls each with a known answer. To raise the bound, run that test with the new
release and mend here what it names. Nothing else in the project calls such a function.
"""

from __future__ import annotations

import torch


def cpu_computes_in_bfloat16() -> bool:
    """Whether oneDNN, which has to be there, computes in bfloat16 on this processor."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def pack_linear(weight: torch.Tensor, rows: int) -> torch.Tensor:
    """Return a weight (out, in) in a layout of oneDNN's own; ``rows``: how many most products have."""
    packed: torch.Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous(), rows)
    return packed


def linear(x: torch.Tensor, packed: torch.Tensor, bias: torch.Tensor | None, then: str) -> torch.Tensor:
    """Return (..., out) = x W^T + bias for a packed weight; ``then``: oneDNN's name of a function taken of it."""
    product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, packed, bias, then, [], "")
    return product


def linear_joined(x: torch.Tensor, packed: torch.Tensor, other: torch.Tensor, how: str) -> torch.Tensor:
    """Return x W^T with ``other`` (..., out) added ("add") or multiplied ("mul") for a packed weight."""
    joined: torch.Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, other, packed, None, how)
    return joined


def pack_four_bits(levels: torch.Tensor) -> torch.Tensor:
    """Pack levels (out, in), int32 from 0 to 15, for :func:`four_bit_product` on a processor."""
    return torch._convert_weight_to_int4pack_for_cpu(levels, 1)


def four_bit_product(x: torch.Tensor, packed: torch.Tensor, group: int, scales: torch.Tensor) -> torch.Tensor:
    """Return (rows, out) = x W^T with W = (level - 8) scale + middle.

    ``scales`` (in / group, out, 2) hold scale and middle of each group of neighbours.
    """
    return torch._weight_int4pack_mm_for_cpu(x, packed, group, scales)


def silu_backward(grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the gradient of silu(x) from that of its value."""
    found: torch.Tensor = torch.ops.aten.silu_backward(grad, x)
    return found


def softmax_backward(grad: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the gradient of the scores from that of ``weights``, their softmax over the last axis."""
    return torch._softmax_backward_data(grad, weights, -1, weights.dtype)
