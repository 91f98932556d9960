"""One row's next token, for who waits for a single text: Llama's pass in as few calls of torch as will do, over weights
of few bits.

A pass of one token takes as long as it takes to read the weights and to call torch. So weights that came as four or
eight bits are read as such (:mod:`eagle.engine.torch.four_bit`), and the row holds its prefix itself, since no other
shares it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from eagle.engine.torch.four_bit import FourBitWeight
from eagle.engine.torch.llama import FusedLlama, Layer
from eagle.engine.torch.shared_prefix import Prefix

Product = Callable[[torch.Tensor], torch.Tensor]
_STRETCH = 16  # products of odd widths are slow


@dataclass(frozen=True)
class _Layer:
    """Norms and products of a layer; the products of one input are joined."""

    norm: torch.Tensor
    queries_keys_values: Product
    output: Product
    norm_after: torch.Tensor
    gate_up: Product
    down: Product


class SingleLlama:
    """What :class:`~eagle.engine.torch.llama.FusedLlama` computes, for one row and one token at a time,
    on a processor.
    """

    def __init__(self, model: Any, fused: FusedLlama, beside: SingleLlama | None = None) -> None:
        """Read a plain Llama of transformers; where a weight came in more bits, the product of ``fused`` serves.

        A head that ``fused`` shares with the network of ``beside`` is shared here too.
        """
        self.heads: int = model.config.num_attention_heads
        self.rotary = model.model.rotary_emb
        self._width: int = model.model.layers[0].self_attn.head_dim
        hidden: int = model.config.hidden_size
        self._beside = torch.zeros(1, hidden + 1)  # a token's x and what makes its norm sqrt(hidden (mean x^2 + eps))
        self._beside[0, -1] = (hidden * model.config.rms_norm_eps) ** 0.5
        self._table: torch.Tensor = model.model.embed_tokens.weight
        self._norm = _norm(model.model.norm)
        self._packed_head = fused.head
        shared = beside.head if beside and beside._packed_head is fused.head else None
        self.head: Product = shared or _few_bits(model.lm_head) or fused.head
        self._layers = [_read(*layers) for layers in zip(model.model.layers, fused.layers, strict=True)]

    @torch.inference_mode()
    def __call__(self, token: int, row: SingleRow) -> torch.Tensor:
        """Return the logits (1, vocabulary) after ``token``, the next one of ``row``."""
        cos, sin, mask, slots = row.step()
        turned = torch.empty_like(cos)
        queries, fresh = turned[: self.heads].view(len(row.keys[0]), -1, self._width), turned[self.heads :]
        beside = self._beside.clone()
        x = beside[:, :-1].copy_(self._table[token])
        for layer, slot, keys, values in zip(self._layers, slots, row.keys, row.values, strict=True):
            heads = layer.queries_keys_values(self._normed(x, beside, layer.norm)).view(-1, self._width)
            torch.addcmul(heads * cos, heads.roll(self._width // 2, -1), sin, out=turned)
            slot.copy_(fresh)
            scores = torch.bmm(queries, keys).add_(mask)
            found = torch.bmm(torch.softmax(scores, dim=-1, out=scores), values)
            x += layer.output(found.view(1, -1))
            gate, up = layer.gate_up(self._normed(x, beside, layer.norm_after)).chunk(2, dim=-1)
            x += layer.down(F.silu(gate).mul_(up))
        return self.head(self._normed(x, beside, self._norm))

    def _normed(self, x: torch.Tensor, beside: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """RMS norm of float32, in the dtype of the products."""
        return (x * weight).div_(torch.linalg.vector_norm(beside)).to(self._table.dtype)


class SingleRow:
    """Keys and values of one row, with all that depends on a position alone."""

    def __init__(self, network: SingleLlama, read: Prefix, new: int) -> None:
        """Take over what was read, with room for so many ``new`` tokens."""
        layers, kv_heads, self._at, width = read.keys.shape
        self._before = self._at
        room = -(-(self._at + new) // _STRETCH) * _STRETCH
        self._columns = read.keys.new_zeros(layers, 2 * kv_heads, room, width)
        keys, values = self._columns.chunk(2, dim=1)
        keys[:, :, : self._at], values[:, :, : self._at] = read.keys, read.values
        self.keys, self.values = (
            list(keys.mT),
            list(values),
        )  # by layer, (kv_heads, head_dim, columns) and (kv_heads, columns, head_dim)
        self._mask = self._columns.new_full((room,), torch.finfo(self._columns.dtype).min)
        self._mask[: self._at] = 0
        self._cos, self._sin = _angles(
            network, torch.arange(self._at, room), keys.new_ones(room - self._at, kv_heads, width)
        )

    def step(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, list[torch.Tensor]]:
        """Go to the next column.

        Returns cos and sin (heads, head_dim), what to add to scores (columns), and by layer the place for keys and
        values (2 kv_heads, head_dim).
        """
        at, new = self._at, self._at - self._before
        self._at += 1
        self._mask[at] = 0
        return self._cos[new], self._sin[new], self._mask, list(self._columns[:, :, at])


def _angles(network: SingleLlama, positions: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return cos and sin (positions, heads, head_dim): x cos + roll(x) sin turns keys, turns and scales queries, and
    leaves values alone.

    ``values`` (positions, kv_heads, head_dim): ones.
    """
    width = values.shape[-1]
    cos, sin = (turn[0, :, None] for turn in network.rotary(values, position_ids=positions[None]))
    sin = torch.cat((-sin[..., : width // 2], sin[..., width // 2 :]), dim=-1)
    scale = values.new_ones(network.heads + values.shape[1], 1)
    scale[: network.heads] = width**-0.5
    return torch.cat((cos * scale, values), dim=1), torch.cat((sin * scale, torch.zeros_like(values)), dim=1)


def _read(layer: Any, packed: Layer) -> _Layer:
    attention, mlp = layer.self_attn, layer.mlp
    return _Layer(
        _norm(layer.input_layernorm),
        _few_bits(attention.q_proj, attention.k_proj, attention.v_proj) or packed.queries_keys_values,
        _few_bits(attention.o_proj) or packed.output,
        _norm(layer.post_attention_layernorm),
        _few_bits(mlp.gate_proj, mlp.up_proj) or (lambda x: torch.cat((packed.gate(x), packed.up(x)), dim=-1)),
        _few_bits(mlp.down_proj) or packed.down,
    )


def _norm(module: Any) -> torch.Tensor:
    """Return a norm's weight, times the root of its size: what is left to do is to divide by the Euclidean norm."""
    weight: torch.Tensor = module.weight.float()
    return weight * len(weight) ** 0.5


def _few_bits(*modules: Any) -> Product | None:
    """Return the product with the weights of modules one below the other, if they have four or eight bits."""
    found = FourBitWeight.of(torch.cat([module.weight for module in modules]))
    return found.product if found else None
