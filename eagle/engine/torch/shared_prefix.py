"""Attention over one prefix that all rows share and over each row's own positions, under one softmax.

The prefix is stored once, not once per row: at 64 rows and a prefix of 500 tokens that saves reading some 700 MB per
decoded token. Rows' own keys lie in full, contiguous buffers (a strided slice costs several times the product itself on
a CPU); an explicit mask says which positions are real. Keys know their positions before they are stored, so a row's
columns may come in any order. Serves any attention of transformers through :func:`attend`, and
:mod:`eagle.engine.torch.llama` directly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from transformers import AttentionInterface
from transformers.cache_utils import Cache

from eagle.engine.torch.soft_tokens import read_as

NAME = "eagle_shared_prefix"
_STRETCH = 16  # columns by which the buffers grow: products of odd widths are slow
HELD_SCORES = 1 << 19  # scores held at a time: a megabyte stays in the processor's cache


@dataclass(frozen=True)
class Prefix:
    """Keys and values of the shared tokens, both (layers, kv_heads, n_prefix, head_dim)."""

    keys: torch.Tensor
    values: torch.Tensor

    @classmethod
    def empty(cls, config: Any, dtype: torch.dtype, device: torch.device) -> Prefix:
        """The prefix of no tokens for a model of transformers' ``config``."""
        kv_heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        nothing = torch.zeros(config.num_hidden_layers, kv_heads, 0, width, dtype=dtype, device=device)
        return cls(nothing, nothing)


class SharedPrefixCache(Cache):
    """Keys and values of one shared prefix and of ``rows`` continuations, each with its own columns.

    Own buffers: keys and values (layers, kv_heads, rows, columns, head_dim). Every forward pass is opened with
    :meth:`begin`.
    """

    def __init__(self, prefix: Prefix, rows: int) -> None:
        super().__init__(layers=[])
        self.prefix = prefix
        self._at = self._new = 0
        self._lengths: list[int] = []
        self._work: _Work | None = None
        layers, kv_heads, _, width = prefix.keys.shape
        self._keys = prefix.keys.new_zeros(layers, kv_heads, rows, 0, width)
        self._values = self._keys
        self._hidden = prefix.keys.new_zeros(rows, 0)  # what is added to the scores of a column
        self.mask = self._hidden

    def begin(self, real: torch.Tensor, at: int) -> None:
        """Open a pass over new positions that go into the columns from ``at``; ``real`` (rows, n), bool, is False for
        padding.

        From here on ``mask`` (rows, 1, n, columns), additive, says which own positions each new token may see.
        """
        self.reserve(at + real.shape[1])
        self._at, self._new = at, real.shape[1]
        self._lengths = real.sum(1).tolist()
        hide = torch.finfo(self._hidden.dtype).min
        self._hidden[:, at : at + self._new] = 0
        self._hidden[:, at : at + self._new].masked_fill_(~real, hide)
        self.mask = self._hidden[:, None, None]
        if self._new > 1:
            later = torch.ones(self._new, self._new, dtype=torch.bool, device=real.device).triu(1)
            self.mask = self.mask.repeat(1, 1, self._new, 1)
            self.mask[..., at : at + self._new].masked_fill_(later, hide)

    def reserve(self, columns: int) -> None:
        """Make room for so many columns a row; growing later copies everything."""
        missing = columns - self._hidden.shape[1]
        if missing <= 0:
            return
        extra = missing + -columns % _STRETCH
        self._hidden = F.pad(self._hidden, (0, extra), value=torch.finfo(self._hidden.dtype).min)
        self._keys, self._values = F.pad(self._keys, (0, 0, 0, extra)), F.pad(self._values, (0, 0, 0, extra))
        self._work = None

    def gather(self, rows: torch.Tensor) -> None:
        """Make the rows with these numbers the rows of the cache; a number may come several times."""
        self._keys, self._values, self._hidden = self._keys[:, :, rows], self._values[:, :, rows], self._hidden[rows]
        self._work = None

    def splice(self, row: int, source: SharedPrefixCache, number: int) -> None:
        """Let the ``number``-th row of ``source``, of the same prefix, take the place of a row, without its padding."""
        real = (source._hidden[number] == 0).nonzero()[:, 0]
        self.reserve(len(real))
        self._keys[:, :, row, : len(real)] = source._keys[:, :, number, real]
        self._values[:, :, row, : len(real)] = source._values[:, :, number, real]
        self._hidden[row] = torch.finfo(self._hidden.dtype).min
        self._hidden[row, : len(real)] = 0

    def as_prefix(self, columns: int) -> Prefix:
        """Return the prefix and the first own columns of the only row as one prefix."""
        own = (self._keys[:, :, 0, :columns], self._values[:, :, 0, :columns])
        return Prefix(torch.cat((self.prefix.keys, own[0]), dim=2), torch.cat((self.prefix.values, own[1]), dim=2))

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Store one layer's new keys and values (rows, kv_heads, n, head_dim)."""
        place = slice(self._at, self._at + self._new)
        self._keys[layer_idx, :, :, place] = key_states.transpose(0, 1)
        self._values[layer_idx, :, :, place] = value_states.transpose(0, 1)
        return key_states, value_states

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Number of own columns before those of this pass."""
        return self._at

    def attend(self, layer: int, query: torch.Tensor, scaling: float) -> torch.Tensor:
        """Return (rows, n, heads, head_dim) for a query (rows, heads, n, head_dim); heads are grouped by key-value
        head.
        """
        return self._attend_one(layer, query, scaling) if self._new == 1 else self._attend_many(layer, query, scaling)

    def _attend_one(self, layer: int, query: torch.Tensor, scaling: float) -> torch.Tensor:
        """One new position a row. Every call of torch counts here, so all views and room are made once."""
        rows, heads, _, width = query.shape
        work = self._work = self._work or _Work(self, heads)
        (keys, values), (shared_keys, shared_values) = work.layers[layer]
        torch.mul(query.view(rows, -1, work.query.shape[2], width).transpose(0, 1), scaling, out=work.query)
        torch.bmm(work.query_by_row, keys, out=work.own)
        torch.bmm(work.query_by_head, shared_keys, out=work.shared)
        work.masked.add_(self.mask[:, 0])
        torch.softmax(work.table, dim=-1, out=work.table)
        torch.bmm(work.shared, shared_values, out=work.out_by_head)
        work.out_by_row.baddbmm_(work.own, values)
        return work.out.transpose(0, 1).reshape(query.shape[0], 1, query.shape[1], -1)

    def _attend_many(self, layer: int, query: torch.Tensor, scaling: float) -> torch.Tensor:
        """Several new positions a row, by pieces so that the table of scores stays small."""
        rows, heads, new, width = query.shape
        kv_heads, columns = self._keys.shape[1], self._keys.shape[3] + self.prefix.keys.shape[2]
        grouped = (query * scaling).view(rows, kv_heads, -1, new, width).transpose(0, 1)
        out = torch.zeros_like(grouped, memory_format=torch.contiguous_format)
        fit = max(1, HELD_SCORES * kv_heads // (heads * new * columns))  # rows whose scores for one key-value head fit
        for head in range(kv_heads):
            for row in range(0, rows, fit):
                self._attend_some(layer, head, slice(row, row + fit), grouped[head], out[head])
        return out.permute(1, 3, 0, 2, 4).reshape(rows, new, heads, width)

    def _attend_some(self, layer: int, head: int, rows: slice, query: torch.Tensor, out: torch.Tensor) -> None:
        """Some rows' queries for one key-value head, (rows, grouped heads, n, head_dim), into ``out``."""
        start = self._new - max(self._lengths[rows])  # only padding stands before
        if start == self._new:
            return
        query = query[rows, :, start:]
        keys, values = self._keys[layer, head, rows], self._values[layer, head, rows]
        shared_keys, shared_values = self.prefix.keys[layer, head], self.prefix.values[layer, head]
        by_row = query.flatten(1, 2)
        shared = by_row.flatten(0, 1) @ shared_keys.mT
        own = torch.bmm(by_row, keys.mT).view(*query.shape[:3], -1).add_(self.mask[rows, :, start:])
        weights = (
            torch.cat((shared.view(*query.shape[:3], -1), own), dim=-1).softmax(dim=-1).view(*by_row.shape[:2], -1)
        )
        n_prefix = shared.shape[1]
        found = (weights[..., :n_prefix].flatten(0, 1) @ shared_values).view(by_row.shape)
        out[rows, :, start:] = found.baddbmm_(weights[..., n_prefix:], values).view(query.shape)


class _Work:
    """What :meth:`SharedPrefixCache._attend_one` needs at every layer: room, and the parts of all as the products want
    them.
    """

    def __init__(self, cache: SharedPrefixCache, heads: int) -> None:
        _, kv_heads, rows, n_own, width = cache._keys.shape
        each = heads // kv_heads
        self.query = cache._keys.new_empty(kv_heads, rows, each, width)
        self.out = torch.empty_like(self.query)
        self.query_by_row, self.out_by_row = (x.view(-1, each, width) for x in (self.query, self.out))
        self.query_by_head, self.out_by_head = (x.view(kv_heads, -1, width) for x in (self.query, self.out))
        self.table = self.query.new_empty(kv_heads * rows, each, n_own + cache.prefix.keys.shape[2])
        self.own = self.table[..., :n_own]
        self.shared = self.table.view(kv_heads, rows * each, -1)[..., n_own:]
        self.masked = self.own.view(kv_heads, rows, each, n_own)
        own = zip(cache._keys.flatten(1, 2).mT, cache._values.flatten(1, 2), strict=True)
        self.layers = list(zip(own, zip(cache.prefix.keys.mT, cache.prefix.values, strict=True), strict=True))


class TransformersNetwork:
    """Any causal language model of transformers, its attention replaced by the one above; ``soft`` as in FusedLlama."""

    def __init__(self, model: Any, soft: torch.Tensor | None = None) -> None:
        self._model, self._soft = model, soft
        model.set_attn_implementation(NAME)

    def __call__(
        self, ids: torch.Tensor, positions: torch.Tensor, real: torch.Tensor, cache: SharedPrefixCache, keep: int
    ) -> torch.Tensor:
        """See :class:`eagle.engine.torch.llama.FusedLlama`."""
        logits: torch.Tensor = self._model(
            **read_as(ids, self._model, self._soft),
            position_ids=positions,
            attention_mask=cache.mask,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=keep,
            shared=cache,
        ).logits
        return logits


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
    """The attention function that transformers' layers call.

    ``shared`` travels down as a keyword of the forward pass.
    """
    layer: int = module.layer_idx  # type: ignore[assignment]
    return shared.attend(layer, query, scaling), None


AttentionInterface.register(NAME, attend)
