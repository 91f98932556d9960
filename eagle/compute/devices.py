"""Which device and dtype ``llm.device`` and ``llm.dtype`` mean, and weights packed for a CPU: the same for all that
computes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import torch

from eagle.compute import torch_private
from eagle.core.errors import user_error

if TYPE_CHECKING:
    from eagle.config import LLMConfig


class Placement(TypedDict):
    """Where a model computes and in which numbers, as keyword arguments of what opens it."""

    dtype: torch.dtype
    device: torch.device


def placement(settings: LLMConfig) -> Placement:
    """Return what ``llm.device`` and ``llm.dtype`` mean here; EagleError where there is no such device."""
    device = pick_device(settings.device)
    return {"dtype": pick_dtype(settings.dtype, device), "device": device}


def pick_device(name: str) -> torch.device:
    """Return the torch device of this name; auto takes cuda, else cpu. EagleError where there is no such device."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        found = str(error).split(". ")[0]
        raise user_error(
            f"llm.device: {name!r} is no torch device here", found=found, expected="auto, cpu, cuda, cuda:1, ..."
        ) from None
    return device


def pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """Return the dtype of this name; auto takes bfloat16 where the device computes in it, else float32."""
    if name != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]
    native = device.type == "cuda" or (device.type == "cpu" and packs(torch.bfloat16))
    return torch.bfloat16 if native else torch.float32


def computes_in_bfloat16(settings: LLMConfig) -> bool:
    """Whether ``llm.device`` and ``llm.dtype`` come to bfloat16 on this machine."""
    return placement(settings)["dtype"] == torch.bfloat16


def packs(dtype: torch.dtype) -> bool:
    """Whether oneDNN packs weights of this dtype for this processor and computes with them."""
    if not torch.backends.mkldnn.is_available():
        return False
    return dtype == torch.float32 or (dtype == torch.bfloat16 and torch_private.cpu_computes_in_bfloat16())


class PackedWeight:
    """A frozen weight (out, in) in a layout of oneDNN's own, where it :func:`packs`: the same products, near the
    processor's peak.
    """

    def __init__(self, weight: torch.Tensor, rows: int) -> None:
        """Pack once; ``rows``: how many most products have."""
        self._packed = torch_private.pack_linear(weight, rows)

    def product(self, x: torch.Tensor, bias: torch.Tensor | None = None, then: str = "none") -> torch.Tensor:
        """Return (..., out) = x W^T + bias; ``then``: oneDNN's name of a function taken of it while it is at hand."""
        return torch_private.linear(x, self._packed, bias, then)

    def joined(self, x: torch.Tensor, other: torch.Tensor, how: str) -> torch.Tensor:
        """Return x W^T with ``other`` (..., out) added ("add") or multiplied ("mul") while the product is at hand."""
        return torch_private.linear_joined(x, self._packed, other, how)
