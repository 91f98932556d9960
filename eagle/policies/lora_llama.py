"""Llama with a LoRA adapter beside its weights, forwards and backwards: the numbers of peft over transformers, in fewer
and faster steps.

The frozen weights are packed once, for both directions, and serve the trained adapter, the reference adapter and the
decode loop alike. An adapter is cast and joined (queries, keys and values are one product) once a pass. In everything
but attention what prompts of a batch begin with alike is computed once, and padding is left out. Other architectures
and adapters with dropout run through transformers and peft.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from peft.tuners.lora import Linear as LoraLinear

from eagle.engine.torch.llama import FusedLlama, Layer, Linear, is_plain_llama
from eagle.engine.torch.soft_tokens import embedded
from eagle.policies.frozen import Frozen
from eagle.policies.layer_steps import Attended, Gated, Normed, Product, Sight
from eagle.policies.trie import PackedBatch
from eagle.policies.vocabulary import Head


class _Adapted(Linear):
    """x (W + up down)^T with gradients for x, for the adapter and for what is added."""

    def __init__(self, frozen: Frozen, modules: Sequence[Any]) -> None:
        """Read the active adapter of peft's ``modules``; its gradient goes back to their parameters."""
        name, dtype = modules[0].active_adapters[0], modules[0].base_layer.weight.dtype
        self._frozen = frozen
        self._down = torch.cat([m.lora_A[name].weight.to(dtype) for m in modules])
        self._up = torch.block_diag(*(m.lora_B[name].weight.to(dtype) for m in modules))
        self._scale: float = modules[0].scaling[name]

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return Product.apply(x, self._down, self._up, None, self._scale, self._frozen)  # type: ignore[no-any-return, no-untyped-call]

    def plus(self, x: torch.Tensor, term: torch.Tensor) -> torch.Tensor:
        return Product.apply(x, self._down, self._up, term, self._scale, self._frozen)  # type: ignore[no-any-return, no-untyped-call]


@dataclass(frozen=True)
class _Part:
    """Peft's modules of one product, and their frozen weights."""

    modules: tuple[Any, ...]
    frozen: Frozen

    @classmethod
    def of(cls, *modules: Any) -> _Part:
        return cls(modules, Frozen([m.base_layer.weight for m in modules]))


def is_plain_lora(model: Any) -> bool:
    """Whether :class:`LoraLlama` computes what this peft model computes outside of dropout: a plain Llama, all its
    layers adapted.
    """
    base = model.get_base_model()
    return is_plain_llama(base) and all(
        isinstance(m, LoraLinear) and not m.lora_variant and not any(m.lora_bias.values())
        for layer in base.model.layers
        for part in _modules(layer)
        for m in part
    )


def _modules(layer: Any) -> tuple[tuple[Any, ...], ...]:
    attention, mlp = layer.self_attn, layer.mlp
    return (
        (attention.q_proj, attention.k_proj, attention.v_proj),
        (attention.o_proj,),
        (mlp.gate_proj,),
        (mlp.up_proj,),
        (mlp.down_proj,),
    )


class LoraLlama:
    """A plain Llama under peft, with whatever adapter is active at the time of a call."""

    def __init__(self, model: Any) -> None:
        self._model = base = model.get_base_model()
        self._parts = [tuple(_Part.of(*modules) for modules in _modules(layer)) for layer in base.model.layers]
        self.head = Head(base.lm_head.weight)
        norms = ((layer.input_layernorm, layer.post_attention_layernorm) for layer in base.model.layers)
        self._norms = [(before.weight.float(), after.weight.float()) for before, after in norms]
        self._norm = base.model.norm.weight.float()
        self._eps = torch.tensor(base.config.rms_norm_eps, device=base.device)
        self._kv_heads, self._width = base.config.num_key_value_heads, base.model.layers[0].self_attn.head_dim

    def _layers(self) -> list[Layer]:
        """Return the layers with the active adapter."""
        adapted = ([_Adapted(part.frozen, part.modules) for part in parts] for parts in self._parts)
        return [
            Layer(norms[0], joined, output, norms[1], gate, up, down)
            for norms, (joined, output, gate, up, down) in zip(self._norms, adapted, strict=True)
        ]

    def network(self, soft: torch.Tensor | None = None) -> FusedLlama:
        """Return the active adapter's network for the decode loop."""
        return FusedLlama(self._model, self.head.forward, self._layers(), soft)

    def states(self, batch: PackedBatch, soft: torch.Tensor | None = None) -> torch.Tensor:
        """Return hidden states (n_slots, width) at the predicting positions; ``soft`` tokens (m, width) get a
        gradient.
        """
        x = embedded(batch.input_ids.flatten()[batch.first], self._model.model.embed_tokens.weight, soft)
        turn = self._model.model.rotary_emb(x, position_ids=batch.position_ids.flatten()[None, batch.first])
        cos, sin = (angle[0, :, None] for angle in turn)
        mask = torch.zeros(batch.attention.shape, dtype=x.dtype, device=x.device).masked_fill_(
            ~batch.attention, -torch.inf
        )
        sight = Sight(batch, cos, sin, mask, self._kv_heads)
        slots = batch.number[batch.slot_row, batch.slot_column]
        layers = self._layers()
        for layer in layers:
            joined = layer.queries_keys_values(_normed(x, layer.norm, self._eps)).view(len(x), -1, self._width)
            found = Attended.apply(joined, sight).flatten(1)  # type: ignore[no-untyped-call]
            if layer is layers[-1]:  # nothing looks at the other positions any more
                found, x = found[slots], x[slots]
            x = layer.output.plus(found, x)
            normed = _normed(x, layer.norm_after, self._eps)
            x = layer.down.plus(Gated.apply(layer.gate(normed), layer.up(normed)), x)  # type: ignore[no-untyped-call]
        return _normed(x, self._norm, self._eps)


def _normed(x: torch.Tensor, weight: torch.Tensor, eps: torch.Tensor) -> torch.Tensor:
    return Normed.apply(x, weight, eps)  # type: ignore[no-any-return, no-untyped-call]
