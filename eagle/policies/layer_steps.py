"""The steps of a Llama layer with their ways back, for weights that stand still beside an adapter that learns.

Each is one step of autograd: what is cheap is computed anew on the way back instead of kept, and what is frozen gets no
gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from eagle.compute import torch_private
from eagle.engine.torch.llama import inverse_rms, rotate
from eagle.policies.frozen import Frozen
from eagle.policies.trie import PackedBatch


class Product(torch.autograd.Function):
    """x (n, in), down (rank, in), up (out, rank), term (n, out) or None -> x W^T + scale x down^T up^T + term."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        down: torch.Tensor,
        up: torch.Tensor,
        term: torch.Tensor | None,
        scale: float,
        frozen: Frozen,
    ) -> torch.Tensor:
        inner = (x @ down.mT).mul_(scale)
        ctx.save_for_backward(x, inner, down, up)
        ctx.scale, ctx.frozen = scale, frozen
        return frozen.forward.plus(x, inner @ up.mT if term is None else torch.addmm(term, inner, up.mT))

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, inner, down, up = ctx.saved_tensors
        grad = grads[0].contiguous()
        back = (grad @ up).mul_(ctx.scale)
        before = ctx.frozen.transposed.plus(grad, back @ down) if ctx.needs_input_grad[0] else None
        return before, back.mT @ x, grad.mT @ inner, grad if ctx.needs_input_grad[3] else None, None, None


class Normed(torch.autograd.Function):
    """RMS norm of x (n, width) in float32 with a frozen float32 weight."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, eps: torch.Tensor) -> torch.Tensor:
        exact = x.to(torch.float32, copy=True)
        scale = inverse_rms(exact, eps)
        ctx.save_for_backward(x, scale, weight)
        return exact.mul_(scale).mul_(weight).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, scale, weight = ctx.saved_tensors
        normed, grad = (t.to(torch.float32, copy=True).mul_(by) for t, by in ((x, scale), (grads[0], weight)))
        along = (grad * normed).sum(-1, keepdim=True)
        return grad.addcmul_(normed, along, value=-1 / x.shape[-1]).mul_(scale).to(x.dtype), None, None


class Gated(torch.autograd.Function):
    """silu(gate) * up; the first factor is computed anew on the way back instead of kept."""

    @staticmethod
    def forward(ctx: Any, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(gate, up)
        return F.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        gate, up = ctx.saved_tensors
        return torch_private.silu_backward(grads[0] * up, gate), F.silu(gate).mul_(grads[0])


@dataclass(frozen=True)
class Sight:
    """Where the tokens (n, ...) of a pass stand among (rows, longest), their angles (n, 1, width), and what is added to
    scores.
    """

    batch: PackedBatch
    cos: torch.Tensor
    sin: torch.Tensor
    mask: torch.Tensor  # (rows, 1, longest, longest)
    kv_heads: int

    def everywhere(self, tokens: torch.Tensor) -> torch.Tensor:
        """Put (n, heads, width) wherever they stand, grouped as products want it; the way back is :meth:`summed`."""
        return self._grouped(tokens[self.batch.number.flatten()])

    def once(self, tokens: torch.Tensor) -> torch.Tensor:
        """Put (n, heads, width) where they stand first, among zeros; the way back is :meth:`taken`."""
        return self._grouped(
            tokens.new_zeros(self.batch.number.numel(), *tokens.shape[1:]).index_copy_(0, self.batch.first, tokens)
        )

    def _grouped(self, places: torch.Tensor) -> torch.Tensor:
        """(rows * longest, heads, width) -> (kv_heads * rows, heads of a group * longest, width)."""
        (rows, longest), width = self.batch.number.shape, places.shape[-1]
        by_head = places.view(rows, longest, self.kv_heads, -1, width).permute(2, 0, 3, 1, 4)
        return by_head.reshape(self.kv_heads * rows, -1, width)

    def _flat(self, grouped: torch.Tensor) -> torch.Tensor:
        (rows, longest), width = self.batch.number.shape, grouped.shape[-1]
        return (
            grouped.view(self.kv_heads, rows, -1, longest, width)
            .permute(1, 3, 0, 2, 4)
            .reshape(rows * longest, -1, width)
        )

    def taken(self, grouped: torch.Tensor) -> torch.Tensor:
        """Take each token from where it stands first."""
        return self._flat(grouped)[self.batch.first]

    def summed(self, grouped: torch.Tensor) -> torch.Tensor:
        """Sum each token over all places where it stands."""
        flat = self._flat(grouped)
        return flat[self.batch.first].index_add_(
            0, self.batch.number.flatten()[self.batch.again], flat[self.batch.again]
        )

    def weights(self, queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """Return the attention (kv_heads * rows, queries, keys)."""
        rows, _, longest, _ = self.mask.shape
        scores = torch.bmm(queries, keys.mT)
        scores.view(self.kv_heads, rows, -1, longest, longest).add_(self.mask)
        return scores.softmax(-1, dtype=torch.float32).to(scores.dtype)  # in bfloat16 it takes twice as long


class Attended(torch.autograd.Function):
    """Attention of joined queries, keys and values (n, heads, width) -> (n, query heads, width).

    Rows are short: plain products take a fifth of the time of torch's fused attention, whose way back is slow with a
    mask on a CPU. The weights are computed anew on the way back instead of kept.
    """

    @staticmethod
    def forward(ctx: Any, joined: torch.Tensor, sight: Sight) -> torch.Tensor:
        turned = rotate(joined[:, : -sight.kv_heads], sight.cos, sight.sin)
        parts = (turned[:, : -sight.kv_heads], turned[:, -sight.kv_heads :], joined[:, -sight.kv_heads :])
        queries, keys, values = (sight.everywhere(part) for part in parts)
        queries *= joined.shape[-1] ** -0.5
        ctx.save_for_backward(queries, keys, values)
        ctx.sight = sight
        return sight.taken(torch.bmm(sight.weights(queries, keys), values))

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        queries, keys, values = ctx.saved_tensors
        sight, width = ctx.sight, values.shape[-1]
        grad, weights = sight.once(grads[0]), sight.weights(queries, keys)
        of_weights = torch.bmm(grad, values.mT)
        of_scores = torch_private.softmax_backward(of_weights, weights)
        of_queries = torch.bmm(of_scores, keys).mul_(width**-0.5)
        found = (of_queries, torch.bmm(of_scores.mT, queries), torch.bmm(weights.mT, grad))
        queries, keys, values = (sight.summed(part) for part in found)
        return torch.cat(
            (rotate(queries, sight.cos, -sight.sin), rotate(keys, sight.cos, -sight.sin), values), dim=1
        ), None
