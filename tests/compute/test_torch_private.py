"""Each private function of torch gives a known answer; one that does not is named by its test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from eagle.compute import torch_private
from eagle.compute.devices import packs

ROOT = Path(__file__).parents[2]
X, WEIGHT = torch.tensor([[1.0, 2.0], [0.0, -1.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0], [3.0, 1.0]])
PRODUCT = torch.tensor([[1.0, 2.0, 5.0], [0.0, -1.0, -1.0]])


def test_mkldnn_is_mkldnn_bf16_supported_says_yes_or_no() -> None:
    assert torch_private.cpu_computes_in_bfloat16() in (True, False)


@pytest.mark.skipif(not packs(torch.float32), reason="oneDNN is not there")
def test_mkldnn_reorder_linear_weight_and_linear_pointwise() -> None:
    packed = torch_private.pack_linear(WEIGHT, 2)
    bias = torch.tensor([1.0, 1.0, 1.0])
    torch.testing.assert_close(torch_private.linear(X, packed, None, "none"), PRODUCT)
    torch.testing.assert_close(torch_private.linear(X, packed, bias, "none"), PRODUCT + 1)
    torch.testing.assert_close(torch_private.linear(X, packed, None, "relu"), PRODUCT.clamp(min=0))


@pytest.mark.skipif(not packs(torch.float32), reason="oneDNN is not there")
@pytest.mark.parametrize(("how", "wanted"), [("add", PRODUCT + 2), ("mul", PRODUCT * 2)])
def test_mkldnn_linear_pointwise_binary(how: str, wanted: torch.Tensor) -> None:
    packed = torch_private.pack_linear(WEIGHT, 2)
    torch.testing.assert_close(torch_private.linear_joined(X, packed, torch.full((2, 3), 2.0), how), wanted)


def test_convert_weight_to_int4pack_for_cpu_and_weight_int4pack_mm_for_cpu() -> None:
    levels = (torch.arange(16 * 32, dtype=torch.int32).view(16, 32) * 7) % 16
    scales = torch.tensor([0.5, 1.0]).expand(1, 16, 2).bfloat16().contiguous()  # a weight is (level - 8) / 2 + 1
    ones = torch.ones(1, 32, dtype=torch.bfloat16)
    found = torch_private.four_bit_product(ones, torch_private.pack_four_bits(levels), 32, scales)
    torch.testing.assert_close(found.float(), ((levels.float() - 8) / 2 + 1).sum(1)[None])


def test_aten_silu_backward() -> None:
    x = torch.tensor([-2.0, 0.0, 1.5])
    sigmoid = torch.sigmoid(x)
    wanted = 3 * sigmoid * (1 + x * (1 - sigmoid))
    torch.testing.assert_close(torch_private.silu_backward(torch.full((3,), 3.0), x), wanted)


def test_softmax_backward_data() -> None:
    weights = torch.tensor([[0.25, 0.75]])
    found = torch_private.softmax_backward(torch.tensor([[1.0, 0.0]]), weights)
    torch.testing.assert_close(found, torch.tensor([[0.25 * 0.75, -0.25 * 0.75]]))


def test_nothing_else_calls_what_torch_does_not_promise() -> None:
    calls = re.compile(r"\btorch\.(_[a-zA-Z]|ops\.)")
    elsewhere = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "eagle").rglob("*.py"))
        if path.name != "torch_private.py" and calls.search(path.read_text(encoding="utf-8"))
    ]
    assert elsewhere == []
