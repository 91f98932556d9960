"""Llama's forward pass with joined and pre-packed weights: the same numbers as transformers' model, fewer and faster steps.

SmolLM2-135M, 64 rows, two cores: the products of a layer take 1.4 ms packed against 2.0 ms plain bfloat16 and 4.4 ms
float32. Other architectures run through transformers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from eagle.llm.shared_prefix import SharedPrefixCache

Linear = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class _Layer:
    norm: torch.Tensor
    queries_keys_values: Linear
    output: Linear
    norm_after: torch.Tensor
    gate_and_up: Linear
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
    """Callable like the engine's transformers path: (ids, positions, cache, keep) -> logits. Reads ``model``'s weights once."""

    def __init__(self, model: Any) -> None:
        config = model.config
        self._heads: int = config.num_attention_heads
        self._kv_heads: int = config.num_key_value_heads
        self._width: int = model.model.layers[0].self_attn.head_dim
        self._eps: float = config.rms_norm_eps
        self._rotary = model.model.rotary_emb
        self._embedding: torch.Tensor = model.model.embed_tokens.weight
        self._norm: torch.Tensor = model.model.norm.weight
        self._head = _linear(model.lm_head.weight)
        self._layers = [_join(layer) for layer in model.model.layers]

    def __call__(self, ids: torch.Tensor, positions: torch.Tensor, cache: SharedPrefixCache, keep: int) -> torch.Tensor:
        """Return logits (rows, keep, vocabulary) of the last ``keep`` of the new positions ``ids`` (rows, n)."""
        x = F.embedding(ids, self._embedding)
        turns = self._rotary(x, position_ids=positions)
        for number, layer in enumerate(self._layers):
            x = x + layer.output(self._attend(number, layer, F.rms_norm(x, x.shape[-1:], layer.norm, self._eps), turns, cache))
            gate, up = layer.gate_and_up(F.rms_norm(x, x.shape[-1:], layer.norm_after, self._eps)).chunk(2, dim=-1)
            x = x + layer.down(F.silu(gate) * up)
        return self._head(F.rms_norm(x[:, -keep:], x.shape[-1:], self._norm, self._eps))

    def _attend(
        self, number: int, layer: _Layer, x: torch.Tensor, turns: tuple[torch.Tensor, torch.Tensor], cache: SharedPrefixCache
    ) -> torch.Tensor:
        rows, new, _ = x.shape
        joined = layer.queries_keys_values(x).view(rows, new, -1, self._width).transpose(1, 2)
        queries, keys, values = joined.split((self._heads, self._kv_heads, self._kv_heads), dim=1)
        queries, keys = apply_rotary_pos_emb(queries, keys, *turns)
        cache.update(keys, values, number)
        return cache.attend(number, queries, self._width**-0.5).reshape(rows, new, -1)


def _join(layer: Any) -> _Layer:
    attention, mlp = layer.self_attn, layer.mlp
    return _Layer(
        layer.input_layernorm.weight,
        _linear(torch.cat((attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight))),
        _linear(attention.o_proj.weight),
        layer.post_attention_layernorm.weight,
        _linear(torch.cat((mlp.gate_proj.weight, mlp.up_proj.weight))),
        _linear(mlp.down_proj.weight),
    )


def _linear(weight: torch.Tensor) -> Linear:
    """Return ``x -> x W^T``; bfloat16 weights on a CPU are packed once in oneDNN's own layout (a quarter faster)."""
    if weight.dtype == torch.bfloat16 and weight.device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous(), 64)
        return lambda x: torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], "")
    return lambda x: F.linear(x, weight)
