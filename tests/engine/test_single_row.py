"""The pass for one row against the one for many, and weights of few bits against the numbers that they stand for."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from eagle.compute.devices import packs
from eagle.engine.base import Completion, SamplingSpec
from eagle.engine.torch.four_bit import GROUP, FourBitWeight
from eagle.engine.torch.model import TorchModel
from eagle.testing.engines import ASKED, HEAD, LanguageModelContract

in_bfloat16 = pytest.mark.skipif(not packs(torch.bfloat16), reason="no bfloat16 on this processor")
SPEC = SamplingSpec(12, 0.9, 0.95, stop=())


class TestContract(LanguageModelContract):
    """In float32 a batch, which is written by the pass for many, must equal its rows one by one."""

    @pytest.fixture
    def model(self, tiny_llm: Path) -> TorchModel:
        return TorchModel(tiny_llm, dtype="float32", device="cpu", single=True)


def test_one_row_is_written_as_among_many(tiny_llm: Path) -> None:
    """Beyond the stretches by which room grows, after prompts with a long common beginning and without any."""
    usual, single = (TorchModel(tiny_llm, dtype="float32", device="cpu", single=single) for single in (False, True))
    spec = SamplingSpec(70, 1.0, stop=())
    for prompt in (usual.chat([*HEAD, ("user", ASKED[0])], prefill="Genres:"), "A"):
        one, other = (model.generate([prompt], spec, [3])[0] for model in (usual, single))
        assert one.token_ids == other.token_ids
        np.testing.assert_allclose(one.log_probs, other.log_probs, atol=1e-4)
    assert usual.usage.computed_tokens == single.usage.computed_tokens


def coarse(weight: torch.Tensor, bits: int = 4) -> torch.Tensor:
    """Return the weight with its groups of neighbours moved to levels, as a file of four or eight bits holds them."""
    values = weight.float().unflatten(1, (-1, GROUP))
    least, most = values.aminmax(dim=-1, keepdim=True)
    if bits == 8:  # the same distance on both sides of 0
        most = values.abs().amax(dim=-1, keepdim=True)
        least = -most
    scale = ((most - least) / (15 if bits == 4 else 254)).clamp(min=1e-9)
    return (((values - least) / scale).round() * scale + least).flatten(1).bfloat16()


@pytest.fixture(scope="module")
def few_bit_llm(tiny_llm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four bits in the layers, eight in the table of tokens."""
    folder = tmp_path_factory.mktemp("few") / "bits"
    shutil.copytree(tiny_llm, folder)
    weights = load_file(folder / "model.safetensors")
    for name, weight in weights.items():
        if weight.dim() == 2:
            weights[name] = coarse(weight, 4 if "_proj" in name else 8)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


@in_bfloat16
@pytest.mark.parametrize("few_bits", [False, True])
def test_what_is_told_of_a_text_is_that_of_float32(
    tiny_llm: Path, few_bit_llm: Path, few_bits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = 0

    def counted(self: FourBitWeight, x: torch.Tensor) -> torch.Tensor:
        nonlocal products
        products += 1
        return product(self, x)

    product = FourBitWeight.product
    monkeypatch.setattr(FourBitWeight, "product", counted)
    folder = few_bit_llm if few_bits else tiny_llm
    exact, single = (
        TorchModel(folder, dtype="float32", device="cpu"),
        TorchModel(folder, dtype="bfloat16", device="cpu", single=True),
    )
    prompts = [exact.chat([*HEAD, ("user", asked)], prefill="Genres:") for asked in ASKED]
    ones = [single.generate([prompt], SPEC, [seed])[0] for seed, prompt in enumerate(prompts)]
    passes = sum(len(done.token_ids) for done in ones)
    assert products == (passes * (2 * 4 + 1) if few_bits else 0)  # 2 layers of 4 products, and the head
    for prompt, done in zip(prompts, ones, strict=True):
        np.testing.assert_allclose(_scored(exact, prompt, done), done.log_probs, atol=0.05)


def _scored(exact: TorchModel, prompt: str, done: Completion) -> np.ndarray:
    """Return the log-probabilities of a text's own tokens, whatever tokens its letters would make."""
    found = exact.score_tokens(exact.tokenize([prompt]), [list(done.token_ids)], temperature=1.0)
    return np.asarray(found[0])


@in_bfloat16
def test_several_rows_are_those_of_the_usual_engine(few_bit_llm: Path) -> None:
    usual, single = (TorchModel(few_bit_llm, dtype="bfloat16", device="cpu", single=single) for single in (False, True))
    prompts = [usual.chat([("user", asked)]) for asked in ASKED]
    assert usual.generate(prompts, SPEC, range(5)) == single.generate(prompts, SPEC, range(5))
    assert usual.arithmetic != single.arithmetic  # no cache may take one's texts for the other's


@in_bfloat16
def test_an_adapted_model_shares_the_head_of_the_plain_one(few_bit_llm: Path, adapter: Path) -> None:
    model = TorchModel(few_bit_llm, dtype="bfloat16", device="cpu", single=True)
    first = model.loop.single
    model.load_adapter(adapter)
    second = model.loop.single
    assert first and second and first is not second and first.head is second.head


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([16, 48, 320]),
    groups=st.integers(4, 8),
    offset=st.floats(-2, 2),
    equal=st.sampled_from([None, 0.0, 0.25]),
    bits=st.sampled_from([4, 8]),
)
def test_products_are_those_of_the_numbers(
    seed: int, rows: int, groups: int, offset: float, equal: float | None, bits: int
) -> None:
    """``equal``: the value of a group that has but one, among the others."""
    make = torch.Generator().manual_seed(seed)
    weight = torch.randn(rows, groups * GROUP, generator=make) + offset
    if equal is not None:
        weight[3, :GROUP] = equal
    weight = coarse(weight, bits)
    found = FourBitWeight.of(weight)
    assert found is not None
    x = torch.randn(2, groups * GROUP, generator=make).bfloat16()
    size = x.float().norm(dim=1, keepdim=True) * weight.float().norm(dim=1)
    off = (found.product(x).float() - x.float() @ weight.float().T).abs()
    assert (off <= 0.01 * size).all()


@pytest.mark.parametrize(
    ("rows", "columns", "dtype"),
    [(32, 64, torch.bfloat16), (8, 64, torch.bfloat16), (32, 40, torch.bfloat16), (32, 64, torch.float32)],
)
def test_other_weights_have_no_levels(rows: int, columns: int, dtype: torch.dtype) -> None:
    """Any numbers; coarse ones of a shape or dtype that torch does not pack."""
    weight = torch.randn(rows, columns, generator=torch.Generator().manual_seed(0))
    if (rows, columns, dtype) != (32, 64, torch.bfloat16):
        weight = weight.sign()
    assert FourBitWeight.of(weight.to(dtype)) is None


@pytest.mark.parametrize("bits", [4, 8])
def test_a_single_row_that_has_more_levels_is_noticed(bits: int) -> None:
    weight = coarse(torch.randn(320, 128, generator=torch.Generator().manual_seed(0)), bits)
    assert FourBitWeight.of(weight) is not None
    weight[290] = torch.randn(128, generator=torch.Generator().manual_seed(1)).bfloat16()
    assert FourBitWeight.of(weight) is None
