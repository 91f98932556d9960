"""The compact forward and backward pass against peft over transformers: values, gradients, written texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from eagle.compute.devices import packs
from eagle.config import LoraSettings
from eagle.policies.lora import LoraPolicy, Scored
from tests.tiny import build_tiny_llm

PROMPTS = (
    "User likes drama.\nGenres: war.\nAction:",
    "User likes comedy, war. Dislikes drama.\nGenres: war, drama.\nAction:",
    "Action:",
)
LISTS = (
    ("Make the hero a robot.", "Make the hero a ghost.", "Make it short.", "Add a love story."),
    ("Set it in space.", "Set it in space", "Add a love story."),
    ("Add a love story.",),
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_llm(tmp_path_factory.mktemp("llm") / "model")


def opened(base: Path, folder: Path, dtype: torch.dtype = torch.float32, dropout: float = 0.0) -> LoraPolicy:
    """A policy whose adapter and whose reference do something, and not the same."""
    made = LoraPolicy.create(base, LoraSettings(rank=4, dropout=dropout), 0, dtype=dtype)
    stir(made, 1)
    made.save(folder / "adapter")
    policy = LoraPolicy.load(base, folder / "adapter", trainable=True, dtype=dtype)
    stir(policy, 2)
    return policy


def stir(policy: LoraPolicy, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in policy.parameters().values():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))


def slowly(policy: LoraPolicy, monkeypatch: pytest.MonkeyPatch) -> None:
    assert policy.fast is not None
    monkeypatch.setattr(policy, "fast", None)


def candidates(policy: LoraPolicy) -> tuple[list[np.ndarray], dict[str, torch.Tensor]]:
    """Log-probabilities of the lists, and every parameter's gradient of a loss over them."""
    log_policy, log_vocabulary = policy.score_lists(PROMPTS, LISTS, full=True)
    scored = policy.score_texts(
        PROMPTS[:2] * 2, [tuple(policy.action_tokens(a)) for a in (*LISTS[0][:2], *LISTS[0][1:3])], 0.7
    )
    policy.model.zero_grad()
    pull = torch.tensor([1.0, -0.5, 0.3, 2.0])
    (
        torch.cat([lp.exp() for lp in log_policy]).square().sum()
        + torch.cat(log_vocabulary).mean()
        + pull @ scored.log_prob
        + scored.kl.sum()
    ).backward()
    values = [x.detach().numpy() for x in (*log_policy, *log_vocabulary, *scored)]
    grads = {name: p.grad for name, p in policy.parameters().items() if p.grad is not None}
    assert set(grads) == set(policy.parameters())
    return values, grads


def test_values_and_gradients_are_those_of_peft(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = opened(base, tmp_path)
    values, grads = candidates(policy)
    slowly(policy, monkeypatch)
    expected, expected_grads = candidates(policy)
    for ours, theirs in zip(values, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    for name, grad in grads.items():
        torch.testing.assert_close(
            grad, expected_grads[name], atol=1e-4, rtol=1e-3, msg=lambda text, name=name: f"{name}: {text}"
        )


@pytest.mark.skipif(not packs(torch.bfloat16), reason="no bfloat16 on this processor")
def test_packed_bfloat16_differs_from_float32_no_more_than_peft_does(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = candidates(opened(base, tmp_path))[1]
    policy = opened(base, tmp_path, torch.bfloat16)
    packed = candidates(policy)[1]
    slowly(policy, monkeypatch)
    unpacked = candidates(policy)[1]

    def error(found: dict[str, torch.Tensor]) -> float:
        return float(
            sum((found[name] - grad).square().sum() for name, grad in exact.items())
            / sum(g.square().sum() for g in exact.values())
        )

    assert error(packed) < 1.5 * error(unpacked) < 0.01


def test_a_policy_with_dropout_drops(base: Path, tmp_path: Path) -> None:
    policy = opened(base, tmp_path, dropout=0.5)
    calm = policy.score_lists(PROMPTS, LISTS)[0][0].detach()
    policy.seed_dropout(1)
    assert not torch.allclose(policy.score_lists(PROMPTS, LISTS)[0][0].detach(), calm, atol=1e-3)


def test_what_is_written_does_not_depend_on_the_pass_nor_on_its_neighbours(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = opened(base, tmp_path)
    fast = policy.write(PROMPTS, 1.0, 3, max_new_tokens=8)
    assert policy.write(PROMPTS[:1], 1.0, 3, max_new_tokens=8) == fast[:1]
    scores = policy.score_lists(PROMPTS, LISTS)[0][0].detach()
    slowly(policy, monkeypatch)
    assert policy.write(PROMPTS, 1.0, 3, max_new_tokens=8) == fast
    torch.testing.assert_close(policy.score_lists(PROMPTS, LISTS)[0][0].detach(), scores, atol=1e-4, rtol=0)


def test_texts_of_one_prompt_score_as_they_do_alone(base: Path, tmp_path: Path) -> None:
    policy = opened(base, tmp_path)
    texts = [tuple(policy.action_tokens(a)) for a in (*LISTS[0], LISTS[0][0])] + [
        tuple(policy.action_tokens(LISTS[0][0]))[:2]
    ]
    prompts = [PROMPTS[0], PROMPTS[1], PROMPTS[0], PROMPTS[0], PROMPTS[0], PROMPTS[0]]
    with torch.no_grad():
        together = policy.score_texts(prompts, texts, 0.7)
        alone = [policy.score_texts([p], [t], 0.7) for p, t in zip(prompts, texts, strict=True)]
    for field in Scored._fields:
        expected = [float(getattr(one, field)) for one in alone]
        np.testing.assert_allclose(getattr(together, field).numpy(), expected, atol=1e-4)
