"""The decode loop: token ids in, rows with their new tokens out, over any network that shares a prefix among its rows.

Long common prefixes are computed once and shared; so many rows are decoded together, and a row that ends makes room for
one that waits. On a processor many rows are dealt out to two parts, with a share of the threads each. Serves the engine
(weights with an adapter merged in) and the policy under training (an adapter beside the weights).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle
from threading import Event, Lock
from typing import Any

import numpy as np
import torch
from cachetools import LRUCache

from eagle.compute.threads import side_by_side
from eagle.core.progress import one_more
from eagle.engine.base import Finish, SamplingSpec, Usage, before_stop
from eagle.engine.torch.forbidden import bend
from eagle.engine.torch.rows import DecodingRow, groups, row_batches, split, stems
from eagle.engine.torch.sampling import choose
from eagle.engine.torch.shared_prefix import Prefix, SharedPrefixCache
from eagle.engine.torch.single_row import SingleLlama, SingleRow

Network = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, SharedPrefixCache, int], torch.Tensor]
# that many rows are dealt out to on a processor, however many threads there are: in bfloat16 a text depends on its part
_PARTS = 2
# at least: fewer rows are decoded together by all threads [M: 192 take .83 of the time in two parts, 64 take 1.08]
ROWS_OF_A_PART = 40
_COMPACT_BELOW = 0.8  # share of live rows at which the ended ones are taken out of the cache
_PREFIXES = 16  # prefixes remembered, their beginnings by blocks among them
_BLOCK = 64  # tokens by which prefixes are computed


class DecodeLoop:
    """Continues token ids with one network, and remembers the prefixes that its rows shared.

    ``model``: the transformers model behind the network (its config, dtype and device); ``usage`` counts what is
    computed; ``single`` continues a row that has no others beside it.
    """

    def __init__(
        self, network: Network, model: Any, ends: Ends, usage: Usage, single: SingleLlama | None = None
    ) -> None:
        self.network, self.usage, self.single = network, usage, single
        self._config, self._dtype, self._device = model.config, model.dtype, model.device
        self.ends = ends
        self._counting = Lock()
        self.prefixes: LRUCache[tuple[int, ...], Prefix] = LRUCache(_PREFIXES)

    @torch.inference_mode()
    def complete(self, rows: Sequence[DecodingRow], spec: SamplingSpec, batch_rows: int) -> None:
        """Fill in the rows' tokens; their suffix is the whole prompt, not empty, and loses what is shared."""
        for shared, members in groups([row.suffix for row in rows]):
            if self.single and len(members) == 1:
                self._decode_single(self.single, rows[members[0]], spec)
                continue
            prefix, alike = self.prefix(rows[members[0]].suffix[:shared]), [rows[i] for i in members]
            for row in alike:
                row.suffix = row.suffix[shared:]
            parts = split(alike, self._parts(len(alike)))
            side_by_side([partial(self.decode, prefix, shared, part, spec, batch_rows) for part in parts])

    def _parts(self, rows: int) -> int:
        """In how many parts so many rows are decoded side by side."""
        return _PARTS if self._device.type == "cpu" and rows >= _PARTS * ROWS_OF_A_PART else 1

    @torch.inference_mode()  # which a thread does not inherit
    def decode(
        self,
        prefix: Prefix,
        shared: int,
        rows: Sequence[DecodingRow],
        spec: SamplingSpec,
        batch_rows: int,
        stopped: Event,
    ) -> None:
        """Fill in the rows' tokens, one token per row and pass; a row that ends makes room for one that waits."""
        waiting = self._opened(prefix, shared, rows, spec, batch_rows)
        live = [DecodingRow(-1, [], np.zeros(0), [0], finish="stop") for _ in range(min(len(rows), batch_rows))]
        cache, longest = SharedPrefixCache(prefix, len(live)), max(len(row.suffix) for row in rows)
        cache.reserve(longest + spec.max_new_tokens)
        for column in cycle(
            range(longest, longest + spec.max_new_tokens)
        ):  # what it overwrites belongs to rows that have ended
            free = [slot for slot, row in enumerate(live) if row.finish]
            for slot, (row, read, number) in zip(free, waiting, strict=False):
                cache.splice(slot, read, number)
                live[slot] = row
            running = [slot for slot, row in enumerate(live) if not row.finish]
            if not running or stopped.is_set():
                return
            if len(running) <= _COMPACT_BELOW * len(live):
                cache.gather(torch.tensor(running, device=self._device))
                live = [live[slot] for slot in running]
            ids = torch.tensor([[row.tokens[-1]] for row in live], device=self._device)
            positions = torch.tensor(
                [[shared + len(row.suffix) + len(row.tokens) - 1] for row in live], device=self._device
            )
            self.draw(
                live, self._forward(ids, positions, torch.ones_like(ids, dtype=torch.bool), cache, column)[:, -1], spec
            )

    def _decode_single(self, network: SingleLlama, row: DecodingRow, spec: SamplingSpec) -> None:
        """Fill in the tokens of a row that is alone."""
        read, token = self.prefix(row.suffix[:-1]), row.suffix[-1]
        state = SingleRow(network, read, spec.max_new_tokens)
        while not row.finish:
            self.usage.computed_tokens += 1
            self.draw([row], network(token, state), spec)
            token = row.tokens[-1]

    def _opened(
        self, prefix: Prefix, shared: int, rows: Sequence[DecodingRow], spec: SamplingSpec, batch_rows: int
    ) -> Iterator[tuple[DecodingRow, SharedPrefixCache, int]]:
        """Read the rows' prompts a batch at a time and draw their first tokens.

        Yields each row that goes on, and where its keys and values are: a cache and the number of the row in it.
        """
        for batch in row_batches(rows, batch_rows):
            lengths, owner = stems([row.suffix for row in batch])
            order = sorted(range(len(batch)), key=lambda i: len(batch[i].suffix) - lengths[owner[i]])
            ordered = [batch[i] for i in order]
            beginnings = [batch[owner.index(group)].suffix[:length] for group, length in enumerate(lengths)]
            owner = [owner[i] for i in order]
            rests = [row.suffix[lengths[group] :] for row, group in zip(ordered, owner, strict=True)]
            cache, logits = self.read(prefix, shared, beginnings, owner, rests)
            self.draw(ordered, logits[:, -1], spec)
            yield from ((row, cache, number) for number, row in enumerate(ordered) if not row.finish)

    def draw(self, rows: Sequence[DecodingRow], logits: torch.Tensor, spec: SamplingSpec) -> None:
        """Add the next token to the rows that have not ended, from logits (rows, vocabulary), and notice which of them
        end.
        """
        draws = torch.tensor([0.0 if row.finish else row.draws[len(row.tokens)] for row in rows], device=self._device)
        forbidden = (
            (number, row.forbidden.left(row.tokens))
            for number, row in enumerate(rows)
            if row.forbidden and not row.finish
        )
        left = {number: chances for number, chances in forbidden if chances}
        bent = bend(logits, left, spec.temperature) if left else logits
        tokens, log_probs = choose(bent, draws, spec.temperature, spec.top_p)
        for number in left:  # what is told of a token is the model's own
            log_probs[number] = logits[number].float().log_softmax(dim=-1)[tokens[number]]
        for row, token, log_prob in zip(rows, tokens.tolist(), log_probs.tolist(), strict=True):
            if row.finish:
                continue
            row.tokens.append(token)
            row.log_probs.append(log_prob)
            row.text, row.finish = self.ends.ended(row.tokens, spec.stop)
            if not row.finish and len(row.tokens) == spec.max_new_tokens:
                row.text, row.finish = self.ends.decode(row.tokens), "length"
            if row.finish:
                one_more()

    def read(
        self,
        prefix: Prefix,
        shared: int,
        beginnings: list[list[int]],
        owner: list[int],
        rests: list[list[int]],
        keep: int = 1,
    ) -> tuple[SharedPrefixCache, torch.Tensor]:
        """Run what stands after the prefix: each beginning once, then each row's rest (the longest last) after a copy
        of its beginning.

        Returns the cache of the rows and the logits of their last ``keep`` tokens (rows, keep, vocabulary).
        """
        cache, longest = SharedPrefixCache(prefix, len(beginnings)), max(map(len, beginnings))
        cache.reserve(longest + len(rests[-1]))
        if longest:
            ids, real = self._left_padded(beginnings)
            self._forward(ids, (real.cumsum(1) - 1).clamp(min=0) + shared, real, cache, 0)
        cache.gather(torch.tensor(owner, device=self._device))
        before = torch.tensor([[shared + len(beginnings[number])] for number in owner], device=self._device)
        ids, real = self._left_padded(rests)
        return cache, self._forward(ids, (real.cumsum(1) - 1).clamp(min=0) + before, real, cache, longest, keep)

    def _forward(
        self,
        ids: torch.Tensor,
        positions: torch.Tensor,
        real: torch.Tensor,
        cache: SharedPrefixCache,
        column: int,
        keep: int = 1,
    ) -> torch.Tensor:
        """Run new positions (rows, n), stored from ``column``; return the logits of the last ``keep`` of them (rows,
        keep, vocabulary).
        """
        cache.begin(real, column)
        with self._counting:
            self.usage.computed_tokens += int(real.sum())
        return self.network(ids, positions, real, cache, keep)

    def _left_padded(self, lists: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ids and which of them are real, both (rows, longest), right-aligned."""
        width = max(map(len, lists))
        ids = np.zeros((len(lists), width), dtype=np.int64)
        real = np.zeros((len(lists), width), dtype=bool)
        for row, tokens in enumerate(lists):
            ids[row, width - len(tokens) :] = tokens
            real[row, width - len(tokens) :] = True
        return torch.from_numpy(ids).to(self._device), torch.from_numpy(real).to(self._device)

    def prefix(self, token_ids: list[int]) -> Prefix:
        """Return the keys and values of tokens that many rows may share.

        They are computed by blocks, each after those before it, so that what is remembered decides what is computed
        anew, never a result.
        """
        if not token_ids:
            return Prefix.empty(self._config, self._dtype, self._device)
        key = tuple(token_ids)
        if key not in self.prefixes:
            start = (len(token_ids) - 1) // _BLOCK * _BLOCK
            cache = SharedPrefixCache(self.prefix(token_ids[:start]), 1)
            ids, real = self._left_padded([token_ids[start:]])
            self._forward(ids, real.cumsum(1) - 1 + start, real, cache, 0)
            self.prefixes[key] = cache.as_prefix(len(token_ids) - start)
        return self.prefixes[key]


class Ends:
    """Notices the end of a text: an end-of-turn token, or a stop string anywhere in what was drawn."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        declared = getattr(model.generation_config, "eos_token_id", None)
        ids = declared if isinstance(declared, list) else [declared]
        self.tokens = frozenset(i for i in (*ids, tokenizer.eos_token_id) if i is not None)
        self._pieces: dict[int, str] = {}

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, special ones left out."""
        text: str = self._tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def ended(self, tokens: Sequence[int], stop: tuple[str, ...]) -> tuple[str, Finish | None]:
        """Say whether the last token ended the text, and which text that is."""
        last = tokens[-1]
        if last in self.tokens:
            return self.decode(tokens[:-1]), "stop"
        if last not in self._pieces:
            self._pieces[last] = self.decode([last])
        piece = self._pieces[last]
        if any(s[-1] in piece for s in stop) or (stop and "\ufffd" in piece):
            text = before_stop(self.decode(tokens), stop)
            if text is not None:
                return text, "stop"
        return "", None
