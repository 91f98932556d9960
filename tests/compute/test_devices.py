"""One reading of llm.device and llm.dtype, and one packing of weights, for all that computes."""

from __future__ import annotations

import pytest
import torch

from eagle.compute.devices import PackedWeight, packs, pick_device, pick_dtype, placement
from eagle.config import LLMConfig
from eagle.core.errors import EagleError


def test_a_named_device_and_dtype_are_taken_as_they_are() -> None:
    assert pick_device("cpu:0") == torch.device("cpu", 0)
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert pick_dtype("float32", torch.device("cuda")) == torch.float32


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:1"])
def test_every_cuda_device_computes_in_bfloat16_by_default(name: str) -> None:
    assert pick_dtype("auto", torch.device(name)) == torch.bfloat16


def test_a_device_without_known_bfloat16_arithmetic_gets_float32() -> None:
    assert pick_dtype("auto", torch.device("meta")) == torch.float32


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "cuda:99"])
def test_a_device_that_is_not_there_is_one_clear_error(name: str) -> None:
    with pytest.raises(EagleError, match=r"llm\.device") as caught:
        pick_device(name)
    assert "cuda:1" in caught.value.problems[0].expected


@pytest.mark.parametrize("rows", [1, 5, 70])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_packed_weight_gives_the_products_of_the_weight(dtype: torch.dtype, rows: int) -> None:
    if not packs(dtype):
        pytest.skip(f"{dtype} is not packed for this processor")
    generator = torch.Generator().manual_seed(0)
    x, weight, bias, other = (
        torch.randn(shape, generator=generator).to(dtype) for shape in ((rows, 32), (48, 32), (48,), (rows, 48))
    )
    packed, plain = PackedWeight(weight, 64), (x.float() @ weight.float().mT)
    found = (
        packed.product(x),
        packed.product(x, bias),
        packed.product(x, then="swish"),
        *(packed.joined(x, other, how) for how in ("add", "mul")),
    )
    wanted = (
        plain,
        plain + bias.float(),
        torch.nn.functional.silu(plain),
        plain + other.float(),
        plain * other.float(),
    )
    near = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 2e-2, "atol": 5e-2}
    for one, other_way in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.float(), other_way, **near)


def test_a_model_is_placed_as_the_parameters_say() -> None:
    found = placement(LLMConfig(device="cpu:0", dtype="bfloat16"))
    assert found == {"dtype": torch.bfloat16, "device": torch.device("cpu", 0)}
