"""Llama's forward pass with joined and pre-packed weights: the same numbers as transformers' model, fewer and faster
steps.

Padding is left out of everything but attention. SmolLM2-135M, 64 rows, one core: the products of a pass take 93 ms
packed in bfloat16, near the processor's peak. Other architectures run through transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from eagle.compute.devices import PackedWeight, packs
from eagle.engine.torch.shared_prefix import SharedPrefixCache
from eagle.engine.torch.soft_tokens import embedded

_ROWS = 64  # that weights are packed for


class Linear:
    """x W^T, and what comes right after it."""

    def __init__(self, weight: torch.Tensor) -> None:
        self._weight = weight

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, self._weight)

    def silu(self, x: torch.Tensor) -> torch.Tensor:
        return F.silu(self(x))

    def times(self, x: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
        return self(x) * factor

    def plus(self, x: torch.Tensor, term: torch.Tensor) -> torch.Tensor:
        return self(x) + term


class _PackedLinear(Linear):
    """The same with a packed weight; what comes after happens while the product is at hand."""

    def __init__(self, weight: torch.Tensor) -> None:
        self._packed = PackedWeight(weight, _ROWS)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self._packed.product(x)

    def silu(self, x: torch.Tensor) -> torch.Tensor:
        return self._packed.product(x, then="swish")

    def times(self, x: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
        return self._packed.joined(x, factor, "mul")

    def plus(self, x: torch.Tensor, term: torch.Tensor) -> torch.Tensor:
        return self._packed.joined(x, term, "add")


@dataclass(frozen=True)
class Layer:
    norm: torch.Tensor
    queries_keys_values: Linear
    output: Linear
    norm_after: torch.Tensor
    gate: Linear
    up: Linear
    down: Linear


def is_plain_llama(model: Any) -> bool:
    """Whether :class:`FusedLlama` computes what this transformers model computes."""
    config = model.config
    return (
        type(model).__name__ == "LlamaForCausalLM"
        and not config.attention_bias
        and not config.mlp_bias
        and config.hidden_act == "silu"
        and model.model.rotary_emb.rope_type == "default"
    )


class FusedLlama:
    """New positions -> logits, over the products of ``layers`` and the rest of ``model``.

    ``soft``: what ids beyond the vocabulary stand for (:mod:`eagle.engine.torch.soft_tokens`).
    """

    def __init__(self, model: Any, head: Linear, layers: Sequence[Layer], soft: torch.Tensor | None = None) -> None:
        config = model.config
        self._heads: int = config.num_attention_heads
        self._kv_heads: int = config.num_key_value_heads
        self._width: int = model.model.layers[0].self_attn.head_dim
        self._eps = torch.tensor(config.rms_norm_eps, device=model.device)
        self._rotary = model.model.rotary_emb
        self._norm: torch.Tensor = model.model.norm.weight
        self._tables: tuple[torch.Tensor, torch.Tensor] = _tables(model)
        self.head, self.layers, self._soft = head, layers, soft

    @classmethod
    def of(cls, model: Any, beside: FusedLlama | None = None) -> FusedLlama:
        """Read a plain Llama; what equals the tables of ``beside`` is shared with it."""
        tables = _tables(model)
        same = beside if beside is not None and all(map(torch.equal, tables, beside._tables)) else None
        found = cls(model, same.head if same else linear(tables[1]), [_join(layer) for layer in model.model.layers])
        found._tables = same._tables if same else tables
        return found

    def __call__(
        self, ids: torch.Tensor, positions: torch.Tensor, real: torch.Tensor, cache: SharedPrefixCache, keep: int
    ) -> torch.Tensor:
        """Return logits (rows, keep, vocabulary) of the last ``keep`` of the new positions ``ids`` (rows, n).

        What is not ``real`` (rows, n) is padding; its logits mean nothing.
        """
        places = _Places(real)
        x = embedded(places.pack(ids), self._tables[0], self._soft)
        cos, sin = (turn[0, :, None] for turn in self._rotary(x, position_ids=places.pack(positions)[None]))
        for number, layer in enumerate(self.layers):
            joined = layer.queries_keys_values(self._normed(x, layer.norm)).view(len(x), -1, self._width)
            x = layer.output.plus(self._attend(number, joined, cos, sin, places, cache), x)
            normed = self._normed(x, layer.norm_after)
            x = layer.down.plus(layer.up.times(normed, layer.gate.silu(normed)), x)
        last = places.unpack(x)[:, -keep:]
        return self.head(self._normed(last, self._norm))

    def _normed(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """RMS norm in float32."""
        exact = x.float()
        return (exact * inverse_rms(exact, self._eps)).mul_(weight).to(x.dtype)

    def _attend(
        self,
        number: int,
        joined: torch.Tensor,
        cos: torch.Tensor,
        sin: torch.Tensor,
        places: _Places,
        cache: SharedPrefixCache,
    ) -> torch.Tensor:
        """``joined`` (tokens, all heads, width) holds queries, keys and values; returns (tokens, heads * width)."""
        turned = rotate(joined[:, : self._heads + self._kv_heads], cos, sin)
        queries, keys = places.unpack(turned).transpose(1, 2).split((self._heads, self._kv_heads), dim=1)
        values = places.unpack(joined[:, -self._kv_heads :]).transpose(1, 2)
        cache.update(keys, values, number)
        return places.pack(cache.attend(number, queries, self._width**-0.5)).flatten(1)


class _Places:
    """Where the real positions stand among (rows, n)."""

    def __init__(self, real: torch.Tensor) -> None:
        self._shape = real.shape
        self._index = None if real.all() else real.flatten().nonzero()[:, 0]

    def pack(self, padded: torch.Tensor) -> torch.Tensor:
        """Return what stands at the real positions of (rows, n, ...), as (tokens, ...)."""
        flat = padded.flatten(0, 1)
        return flat if self._index is None else flat[self._index]

    def unpack(self, packed: torch.Tensor) -> torch.Tensor:
        """Return (rows, n, ...) with zeros as padding."""
        if self._index is not None:
            packed = packed.new_zeros(self._shape.numel(), *packed.shape[1:]).index_copy_(0, self._index, packed)
        return packed.view(*self._shape, *packed.shape[1:])


def inverse_rms(x: torch.Tensor, eps: torch.Tensor) -> torch.Tensor:
    """Return 1 / sqrt(mean x^2 + eps) over the last dimension, which stays; torch's own norm takes up to six times as
    long on a CPU.
    """
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return torch.addcmul(eps, norm, norm, value=1 / x.shape[-1]).rsqrt_()


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Turn pairs (i, i + half) of the last dimension by their angle."""
    half = x.shape[-1] // 2
    first, second, cos, sin = x[..., :half], x[..., half:], cos[..., :half], sin[..., :half]
    out = torch.empty_like(x)
    torch.mul(first, cos, out=out[..., :half]).addcmul_(second, sin, value=-1)
    torch.mul(second, cos, out=out[..., half:]).addcmul_(first, sin)
    return out


def _tables(model: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the weights of embedding and head."""
    return model.model.embed_tokens.weight, model.lm_head.weight


def _join(layer: Any) -> Layer:
    attention, mlp = layer.self_attn, layer.mlp
    return Layer(
        layer.input_layernorm.weight,
        linear(torch.cat((attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight))),
        linear(attention.o_proj.weight),
        layer.post_attention_layernorm.weight,
        linear(mlp.gate_proj.weight),
        linear(mlp.up_proj.weight),
        linear(mlp.down_proj.weight),
    )


def linear(weight: torch.Tensor) -> Linear:
    """Return the product with a frozen weight, packed where that is to be had."""
    packable = weight.dtype == torch.bfloat16 and weight.device.type == "cpu" and packs(torch.bfloat16)
    return _PackedLinear(weight) if packable else Linear(weight)
