"""Attention over one prefix that all rows share and over each row's own positions, under one softmax.

The prefix is stored once, not once per row: at 64 rows and a prefix of 500 tokens that saves reading some 700 MB per
decoded token. Rows' own keys lie transposed in full, contiguous buffers (a strided slice costs several times the
product itself on a CPU); an explicit mask says which positions are real. Serves any attention of transformers through
:func:`attend`, and :mod:`eagle.llm.llama` directly.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from transformers import AttentionInterface
from transformers.cache_utils import Cache, DynamicCache

NAME = "eagle_shared_prefix"
Prefix = list[tuple[torch.Tensor, torch.Tensor]]
_STRETCH = 32  # positions by which the buffers grow


class SharedPrefixCache(Cache):
    """Keys and values of one shared prefix and of ``rows`` continuations.

    ``prefix``: per layer keys (kv_heads, head_dim, n_prefix) and values (kv_heads, n_prefix, head_dim), see
    :func:`compute_prefix`. Own buffers per layer: keys (kv_heads, rows, head_dim, capacity), values (kv_heads, rows,
    capacity, head_dim). Every forward pass is opened with :meth:`begin`.
    """

    def __init__(self, prefix: Prefix, rows: int) -> None:
        super().__init__(layers=[])
        self.prefix = prefix
        self.length = 0
        self._new = 0
        first = prefix[0][0]
        self._visible = torch.zeros(rows, 0, dtype=torch.bool, device=first.device)
        self._mask = first.new_zeros(0)
        self._own = [(k.new_zeros(k.shape[0], rows, k.shape[1], 0), v.new_zeros(v.shape[0], rows, 0, v.shape[2])) for k, v in prefix]

    def begin(self, real: torch.Tensor) -> torch.Tensor:
        """Open a pass over new positions; ``real`` (rows, n), bool, is False for padding.

        Returns the additive mask (rows, 1, n, capacity) of own positions that each new token may see.
        """
        self.length += self._new
        self._new = real.shape[1]
        end = self.length + self._new
        self._grow(end)
        self._visible[:, self.length : end] = real
        causal = torch.ones(self._new, self._visible.shape[1], dtype=torch.bool, device=real.device).tril(self.length)
        seen = self._visible[:, None, None] & causal
        dtype = self._own[0][0].dtype
        self._mask = torch.zeros(seen.shape, dtype=dtype, device=real.device).masked_fill_(~seen, torch.finfo(dtype).min)
        return self._mask

    def _grow(self, end: int) -> None:
        missing = end - self._visible.shape[1]
        if missing <= 0:
            return
        extra = -(-missing // _STRETCH) * _STRETCH
        self._visible = F.pad(self._visible, (0, extra))
        self._own = [(F.pad(k, (0, extra)), F.pad(v, (0, 0, 0, extra))) for k, v in self._own]

    def gather(self, rows: torch.Tensor) -> None:
        """Make the rows with these numbers the rows of the cache; a number may come several times."""
        self._own = [(k[:, rows], v[:, rows]) for k, v in self._own]
        self._visible = self._visible[rows]

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Store one layer's new keys and values (rows, kv_heads, n, head_dim)."""
        keys, values = self._own[layer_idx]
        end = self.length + self._new
        keys[..., self.length : end] = key_states.permute(1, 0, 3, 2)
        values[:, :, self.length : end] = value_states.transpose(0, 1)
        return key_states, value_states

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Number of own positions filled before this pass."""
        return self.length

    def attend(self, layer: int, query: torch.Tensor, scaling: float) -> torch.Tensor:
        """Return (rows, n, heads, head_dim) for a query (rows, heads, n, head_dim); heads are grouped by key-value head."""
        rows, heads, new, width = query.shape
        kv_heads = self._own[layer][0].shape[0]
        grouped = query.reshape(rows, kv_heads, heads // kv_heads * new, width)
        out = self._attend_many(layer, grouped, new, scaling) if new > 1 else self._attend_one(layer, grouped, scaling)
        return out.reshape(rows, heads, new, width).transpose(1, 2)

    def _attend_many(self, layer: int, query: torch.Tensor, new: int, scaling: float) -> torch.Tensor:
        """Several new positions a row: prefix and own positions side by side, so that no table of scores is ever stored."""
        shared_keys, shared_values = self.prefix[layer]
        rows, n_prefix = query.shape[0], shared_values.shape[1]
        keys, values = (own.transpose(0, 1) for own in self._own[layer])
        keys = torch.cat((shared_keys.transpose(1, 2).expand(rows, -1, -1, -1), keys.transpose(2, 3)), dim=2)
        values = torch.cat((shared_values.expand(rows, -1, -1, -1), values), dim=2)
        mask = F.pad(self._mask, (n_prefix, 0)).repeat(1, 1, query.shape[2] // new, 1)
        return F.scaled_dot_product_attention(query, keys, values, attn_mask=mask, scale=scaling)

    def _attend_one(self, layer: int, query: torch.Tensor, scaling: float) -> torch.Tensor:
        """One new position a row: the prefix's keys meet all rows' queries in one product and are never copied."""
        shared_keys, shared_values = self.prefix[layer]
        keys, values = self._own[layer]
        rows, kv_heads, groups, width = query.shape
        capacity, n_prefix = keys.shape[3], shared_keys.shape[2]
        grouped = (query * scaling).transpose(0, 1).contiguous()
        own = torch.bmm(grouped.view(kv_heads * rows, groups, width), keys.view(kv_heads * rows, width, capacity))
        own = own.view(kv_heads, rows, groups, capacity).add_(self._mask[:, 0]).view(kv_heads, rows * groups, capacity)
        shared = torch.bmm(grouped.view(kv_heads, rows * groups, width), shared_keys)
        weights = torch.softmax(torch.cat((shared, own), dim=-1), dim=-1)
        of_own = weights[..., n_prefix:].reshape(kv_heads * rows, groups, capacity)
        out = torch.bmm(of_own, values.view(kv_heads * rows, capacity, width)).view(kv_heads, rows * groups, width)
        out += torch.bmm(weights[..., :n_prefix], shared_values)
        return out.view(kv_heads, rows, groups, width).transpose(0, 1).contiguous()


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor,
    scaling: float,
    shared: SharedPrefixCache,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """The attention function that transformers' layers call; ``shared`` travels down as a keyword of the forward pass."""
    layer: int = module.layer_idx  # type: ignore[assignment]
    return shared.attend(layer, query, scaling), None


AttentionInterface.register(NAME, attend)


def compute_prefix(model: Any, token_ids: list[int]) -> Prefix:
    """Run the shared tokens once through transformers' model; no tokens give empty keys and values."""
    cache: Any = DynamicCache()
    ids = torch.tensor([token_ids or [0]], device=model.device)
    model.set_attn_implementation("sdpa")
    try:
        model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
    finally:
        model.set_attn_implementation(NAME)
    kept = [(layer.keys[0, :, : len(token_ids)], layer.values[0, :, : len(token_ids)]) for layer in cache.layers]
    return [(keys.transpose(1, 2).contiguous(), values.contiguous()) for keys, values in kept]
