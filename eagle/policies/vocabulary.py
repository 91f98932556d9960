"""From hidden states to log-probabilities over the whole vocabulary, in pieces that fit the processor's cache.

A table of positions x vocabulary is by far the largest thing in a pass. It is kept once, in the model's own numbers;
what is said about it (normaliser, KL, entropy) and its gradient are computed in float32 for a few positions at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch

from eagle.policies.frozen import Frozen

#: Numbers looked at together: what fits a processor's cache, or what keeps a GPU busy.
HELD, _HELD_ELSEWHERE = 1 << 19, 1 << 26


class Head(Frozen):
    """The frozen head: states -> logits, and the way back; weight (vocabulary, width), bias (vocabulary,) in some
    architectures.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        super().__init__([weight])
        self.weight, self.bias = weight, bias

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """Return logits (n, vocabulary) of states (n, width)."""
        return self.forward(states) if self.bias is None else self.forward.plus(states, self.bias)

    def chosen(self, states: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Return float32 logits (n,) of one token for each of the states (n, width), rounded as those of all tokens
        are.
        """
        found = (states.float() * self.weight[tokens].float()).sum(-1)
        return (found if self.bias is None else found + self.bias[tokens].float()).to(states.dtype).float()


class Spoken(NamedTuple):
    """What is said at some positions: log-probabilities (n_edges,) of tokens, KL to the reference and entropy
    (n_slots,) in nats.
    """

    log_probs: torch.Tensor
    kl: torch.Tensor
    entropy: torch.Tensor


def spoken(
    states: torch.Tensor,
    head: Head,
    slot: torch.Tensor,
    token: torch.Tensor,
    *,
    temperature: float = 1.0,
    reference: torch.Tensor | None = None,
) -> Spoken:
    """Return what is said of ``token`` (n_edges,) after ``slot`` (n_edges,), an index into the states (n_slots, width).

    ``log_probs`` are at ``temperature``, KL to what the ``reference`` states (n_slots, width) say and entropy at 1;
    both are 0 without it. The entropy has no gradient.
    """
    return Spoken(*_Spoken.apply(states, slot, token, head, temperature, reference))  # type: ignore[no-untyped-call]


class _Spoken(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        states: torch.Tensor,
        slot: torch.Tensor,
        token: torch.Tensor,
        head: Head,
        temperature: float,
        reference: torch.Tensor | None,
    ) -> tuple[torch.Tensor, ...]:
        logits = head.logits(states)
        other = None if reference is None else head.logits(reference)
        normaliser, kl, entropy = (torch.zeros(len(states), device=states.device) for _ in range(3))
        for part in _parts(logits):
            own = logits[part].float()
            normaliser[part] = (own / temperature).logsumexp(-1) if temperature != 1 else own.logsumexp(-1)
            if other is not None:
                log_pi = own.log_softmax(-1)
                pi = log_pi.exp()
                kl[part] = (pi * (log_pi - other[part].float().log_softmax(-1))).sum(-1)
                entropy[part] = -(pi * log_pi).sum(-1)
        ctx.save_for_backward(logits, other, slot, token, normaliser, kl)
        ctx.head, ctx.temperature = head, temperature
        ctx.mark_non_differentiable(entropy)
        return logits[slot, token].float() / temperature - normaliser[slot], kl, entropy

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        logits, other, slot, token, normaliser, kl = ctx.saved_tensors
        of_token, of_kl = grads[0] / ctx.temperature, grads[1]
        of_slot = torch.zeros_like(normaliser).index_add_(0, slot, of_token)
        grad = torch.empty_like(logits)
        for part in _parts(logits):
            own = logits[part].float()
            found = (own / ctx.temperature - normaliser[part, None]).exp_().mul_(-of_slot[part, None])
            if other is not None:
                log_pi = own.log_softmax(-1)
                apart = log_pi - other[part].float().log_softmax(-1)
                found.addcmul_(log_pi.exp_(), apart.sub_(kl[part, None]).mul_(of_kl[part, None]))
            here = (slot >= part.start) & (slot < part.stop)
            found.index_put_((slot[here] - part.start, token[here]), of_token[here], accumulate=True)
            grad[part] = found
        return ctx.head.transposed(grad), None, None, None, None, None


def _parts(table: torch.Tensor) -> Iterator[slice]:
    step = max(1, (HELD if table.device.type == "cpu" else _HELD_ELSEWHERE) // table.shape[1])
    return (slice(start, start + step) for start in range(0, len(table), step))
