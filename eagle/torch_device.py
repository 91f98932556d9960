"""Which device and dtype ``llm.device`` and ``llm.dtype`` mean: the same for the engine and for the policy."""

from __future__ import annotations

import torch

from eagle.errors import user_error


def pick_device(name: str) -> torch.device:
    """Return the torch device of this name; auto takes cuda, else cpu. EagleError where there is no such device."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        found = str(error).split(". ")[0]
        raise user_error(f"llm.device: {name!r} is no torch device here", found=found, expected="auto, cpu, cuda, cuda:1, ...") from None
    return device


def pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """Return the dtype of this name; auto takes bfloat16 where the device computes in it, else float32."""
    if name != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]
    native = device.type == "cuda" or (device.type == "cpu" and packs(torch.bfloat16))
    return torch.bfloat16 if native else torch.float32


def packs(dtype: torch.dtype) -> bool:
    """Whether oneDNN packs weights of this dtype for this processor and computes with them."""
    if not torch.backends.mkldnn.is_available():
        return False
    return dtype == torch.float32 or (dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported())
