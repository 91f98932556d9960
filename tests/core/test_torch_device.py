"""One reading of llm.device and llm.dtype for the engine and the policy."""

from __future__ import annotations

import pytest
import torch

from eagle.errors import EagleError
from eagle.torch_device import pick_device, pick_dtype


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
