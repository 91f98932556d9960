"""What is said over the whole vocabulary, against plain autograd over whole tables and against hand arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eagle.policies import vocabulary
from eagle.policies.vocabulary import Head, spoken


def plain(
    states: torch.Tensor,
    head: Head,
    slot: torch.Tensor,
    token: torch.Tensor,
    temperature: float,
    reference: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    logits, others = (torch.nn.functional.linear(x, head.weight, head.bias) for x in (states, reference))
    log_pi, log_reference = logits.log_softmax(-1), others.log_softmax(-1)
    drawn = (logits / temperature).log_softmax(-1)[slot, token]
    return drawn, (log_pi.exp() * (log_pi - log_reference)).sum(-1), -(log_pi.exp() * log_pi).sum(-1)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("held", [1, 1 << 19])
@pytest.mark.parametrize("biased", [False, True])
def test_values_and_gradients_are_those_of_whole_tables(
    temperature: float, held: int, biased: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "HELD", held)
    generator = torch.Generator().manual_seed(0)
    states, reference = (torch.randn(5, 8, generator=generator) for _ in range(2))
    weight, slot, token = (
        torch.randn(30, 8, generator=generator),
        torch.tensor([0, 0, 2, 4, 0]),
        torch.tensor([3, 7, 1, 29, 3]),
    )
    head = Head(weight, torch.randn(30, generator=generator) if biased else None)
    of_token, of_kl = torch.randn(5, generator=generator), torch.randn(5, generator=generator)
    found = []
    for way in ("pieces", "plain"):
        own = states.clone().requires_grad_()
        if way == "pieces":
            drawn, kl, entropy = spoken(own, head, slot, token, temperature=temperature, reference=reference)
        else:
            drawn, kl, entropy = plain(own, head, slot, token, temperature, reference)
        (drawn @ of_token + kl @ of_kl).backward()
        assert own.grad is not None
        found.append([x.detach().numpy() for x in (drawn, kl, entropy, own.grad)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_two_tokens_by_hand() -> None:
    """States are the logits themselves; the action takes token 1, then token 0."""
    states, reference = torch.tensor([[0.0, 1.0], [2.0, 0.0]]), torch.tensor([[0.0, 1.0], [0.0, 0.0]])
    found = spoken(
        states, Head(torch.eye(2)), torch.arange(2), torch.tensor([1, 0]), temperature=0.5, reference=reference
    )
    assert float(found.log_probs.sum()) == pytest.approx(-np.log1p(np.exp(-2)) - np.log1p(np.exp(-4)))
    p = 1 / (1 + np.exp(-2))
    np.testing.assert_allclose(found.kl.numpy(), [0, p * np.log(2 * p) + (1 - p) * np.log(2 * (1 - p))], atol=1e-6)
    assert float(found.entropy[1]) == pytest.approx(-p * np.log(p) - (1 - p) * np.log(1 - p), abs=1e-6)
