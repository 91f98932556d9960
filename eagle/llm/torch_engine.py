"""The language model on a torch device: a small decode loop over transformers' model.

Long common prefixes are computed once and shared; `batch_rows` rows are decoded together, and a row that ends makes room for
one that waits. On a processor many rows are dealt out to parts, with a share of the threads each. A row's draws come from its own
seed, so in float32 a batch equals its rows one by one; in bfloat16 the arithmetic depends on the batch, hence a call (its set of
prompts and seeds) is what repeats exactly.
"""

from __future__ import annotations

import copy
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle
from pathlib import Path
from threading import Event, Lock
from typing import Any

import numpy as np
from cachetools import LRUCache

from eagle.artifacts import content_hash
from eagle.errors import user_error
from eagle.llm.base import Completion, Finish, SamplingSpec, Usage, engine_code
from eagle.llm.fetch import check_adapter_folder, check_model_folder
from eagle.llm.offline import stay_offline

stay_offline()

import torch  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402
from transformers.utils.logging import disable_progress_bar  # noqa: E402

from eagle.llm.llama import FusedLlama, is_plain_llama  # noqa: E402
from eagle.llm.memory import halving  # noqa: E402
from eagle.llm.rows import SCORED_TOKENS, Row, groups, row_batches, split, stems, token_batches  # noqa: E402
from eagle.llm.sampling import choose, uniforms  # noqa: E402
from eagle.llm.shared_prefix import Prefix, SharedPrefixCache, TransformersNetwork  # noqa: E402
from eagle.llm.threads import side_by_side  # noqa: E402
from eagle.torch_device import pick_device, pick_dtype  # noqa: E402

_log = logging.getLogger(__name__)
Network = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, SharedPrefixCache, int], torch.Tensor]
_ROWS_OF_A_PART = 40  # at least: fewer rows are decoded together by all threads [M: 192 take .83 of the time in two parts, 64 take 1.08]
_COMPACT_BELOW = 0.8  # share of live rows at which the ended ones are taken out of the cache
_PREFIXES = 16  # prefixes remembered, their beginnings by blocks among them
_BLOCK = 64  # tokens by which prefixes are computed
_ADAPTED_BYTES = 1 << 30  # merged weights remembered, the last at least: evaluation changes adapters several times a step


class TorchModel:
    """A :class:`~eagle.llm.base.LanguageModel` over a folder in transformers' layout."""

    def __init__(self, folder: Path, *, dtype: str = "auto", device: str = "auto", batch_rows: int = 64, fuse: bool = True) -> None:
        check_model_folder(Path(folder), chat=True)
        disable_progress_bar()
        self.device = pick_device(device)
        self.dtype = pick_dtype(dtype, self.device)
        self.batch_rows = batch_rows
        self._scored_tokens = SCORED_TOKENS
        self.tokenizer, self._base = _read_folder(Path(folder), self.dtype)
        self.name = Path(folder).name
        self.fingerprint = content_hash(Path(folder))
        self.arithmetic = self._arithmetic()
        self.rows_alone = self.dtype == torch.float32
        self.usage = Usage()
        self._counting = Lock()
        self._base.eval().requires_grad_(False).to(self.device)
        self._ends = _Ends(self._base, self.tokenizer)
        self._may_fuse = fuse
        self._adapter: str | None = None
        self._plain: Network = self._open(self._base)
        self._network = self._plain
        layers: int = sum(p.nbytes for name, p in self._base.named_parameters() if "layers" in name)
        self._adapted: LRUCache[str, Network] = LRUCache(max(1, _ADAPTED_BYTES // max(1, layers)))
        self._prefixes: LRUCache[tuple[str | None, tuple[int, ...]], Prefix] = LRUCache(_PREFIXES)

    def _arithmetic(self) -> str:
        numbers = f"{self.dtype} {self.device} {torch.get_num_threads()} threads {self.batch_rows} rows"
        return f"{engine_code()} torch {torch.__version__} {numbers}"

    # prompts ---------------------------------------------------------------
    def chat(self, messages: Sequence[tuple[str, str]], prefill: str = "") -> str:
        """Render turns with the model's chat template; ``prefill`` opens the assistant's turn."""
        turns = [{"role": role, "content": content} for role, content in messages]
        text: str = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return text + prefill

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Return token ids without added special tokens (the chat template writes its own)."""
        if not texts:
            return []
        ids: list[list[int]] = self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]
        return ids

    # generation ------------------------------------------------------------
    def generate(self, prompts: Sequence[str], spec: SamplingSpec, seeds: Sequence[int]) -> list[Completion]:
        """Continue every prompt; see :class:`~eagle.llm.base.LanguageModel`. Prompts must not be empty."""
        started = time.perf_counter()
        token_ids = self.tokenize(prompts)
        if any(not ids for ids in token_ids):
            raise ValueError("a prompt must not be empty")
        draws = uniforms(seeds, spec.max_new_tokens) if prompts else np.zeros((0, 0))
        done: dict[int, Completion] = {}
        with torch.inference_mode():
            write = partial(self._write, token_ids, draws, spec, done)
            halving(write, self.batch_rows, there=len(prompts), least=1, unit="rows", usage=self.usage)
        self.usage.calls += 1
        self.usage.prompt_tokens += sum(len(ids) for ids in token_ids)
        self.usage.new_tokens += sum(len(c.token_ids) for c in done.values())
        self.usage.seconds += time.perf_counter() - started
        return [done[i] for i in range(len(prompts))]

    def _write(
        self, token_ids: Sequence[list[int]], draws: np.ndarray, spec: SamplingSpec, done: dict[int, Completion], at_once: int
    ) -> None:
        """Write what is not ``done``, ``at_once`` rows together; in bfloat16, where a text depends on its batch, write everything."""
        self._take_rows(at_once)
        if not self.rows_alone:
            done.clear()
        left = [i for i in range(len(token_ids)) if i not in done]
        for shared, members in groups([token_ids[i] for i in left]):
            prefix = self._prefix(token_ids[left[members[0]]][:shared])
            rows = [Row(left[m], token_ids[left[m]][shared:], draws[left[m]]) for m in members]
            try:
                side_by_side([partial(self._decode, prefix, shared, part, spec) for part in split(rows, self._parts(len(rows)))])
            finally:
                done |= {row.index: Completion(row.text, tuple(row.tokens), tuple(row.log_probs), row.finish) for row in rows if row.finish}

    def _take_rows(self, at_once: int) -> None:
        """Decode so many rows together from here on. In float32 no text knows of it; in bfloat16 a cache must not mix them."""
        if at_once == self.batch_rows:
            return
        self.batch_rows = at_once
        if not self.rows_alone:
            self.arithmetic = self._arithmetic()
            _log.warning("in bfloat16 texts may come out otherwise: from here on they are those of llm.batch_rows: %d", at_once)

    def _parts(self, rows: int) -> int:
        """In how many parts so many rows are decoded side by side."""
        return 1 if self.device.type != "cpu" else max(1, min(torch.get_num_threads(), rows // _ROWS_OF_A_PART))

    @torch.inference_mode()  # which a thread does not inherit
    def _decode(self, prefix: Prefix, shared: int, rows: Sequence[Row], spec: SamplingSpec, stopped: Event) -> None:
        """Fill in the rows' tokens, one token per row and pass; a row that ends makes room for one that waits."""
        waiting = self._opened(prefix, shared, rows, spec)
        live = [Row(-1, [], np.zeros(0), [0], finish="stop") for _ in range(min(len(rows), self.batch_rows))]
        cache, longest = SharedPrefixCache(prefix, len(live)), max(len(row.suffix) for row in rows)
        cache.reserve(longest + spec.max_new_tokens)
        for column in cycle(range(longest, longest + spec.max_new_tokens)):  # what it overwrites belongs to rows that have ended
            free = [slot for slot, row in enumerate(live) if row.finish]
            for slot, (row, read, number) in zip(free, waiting, strict=False):
                cache.splice(slot, read, number)
                live[slot] = row
            running = [slot for slot, row in enumerate(live) if not row.finish]
            if not running or stopped.is_set():
                return
            if len(running) <= _COMPACT_BELOW * len(live):
                cache.gather(torch.tensor(running, device=self.device))
                live = [live[slot] for slot in running]
            ids = torch.tensor([[row.tokens[-1]] for row in live], device=self.device)
            positions = torch.tensor([[shared + len(row.suffix) + len(row.tokens) - 1] for row in live], device=self.device)
            self._draw(live, self._forward(ids, positions, torch.ones_like(ids, dtype=torch.bool), cache, column)[:, -1], spec)

    def _opened(self, prefix: Prefix, shared: int, rows: Sequence[Row], spec: SamplingSpec) -> Iterator[tuple[Row, SharedPrefixCache, int]]:
        """Read the rows' prompts a batch at a time and draw their first tokens.

        Yields each row that goes on, and where its keys and values are: a cache and the number of the row in it.
        """
        for batch in row_batches(rows, self.batch_rows):
            lengths, owner = stems([row.suffix for row in batch])
            order = sorted(range(len(batch)), key=lambda i: len(batch[i].suffix) - lengths[owner[i]])
            ordered = [batch[i] for i in order]
            beginnings = [batch[owner.index(group)].suffix[:length] for group, length in enumerate(lengths)]
            owner = [owner[i] for i in order]
            rests = [row.suffix[lengths[group] :] for row, group in zip(ordered, owner, strict=True)]
            cache, logits = self._read(prefix, shared, beginnings, owner, rests)
            self._draw(ordered, logits[:, -1], spec)
            yield from ((row, cache, number) for number, row in enumerate(ordered) if not row.finish)

    def _draw(self, rows: Sequence[Row], logits: torch.Tensor, spec: SamplingSpec) -> None:
        """Add the next token to the rows that have not ended, from logits (rows, vocabulary), and notice which of them end."""
        draws = torch.tensor([0.0 if row.finish else row.draws[len(row.tokens)] for row in rows], device=self.device)
        tokens, log_probs = choose(logits, draws, spec.temperature, spec.top_p)
        for row, token, log_prob in zip(rows, tokens.tolist(), log_probs.tolist(), strict=True):
            if row.finish:
                continue
            row.tokens.append(token)
            row.log_probs.append(log_prob)
            row.text, row.finish = self._ends.ended(row.tokens, spec.stop)
            if not row.finish and len(row.tokens) == spec.max_new_tokens:
                row.text, row.finish = self._ends.decode(row.tokens), "length"

    def _read(
        self, prefix: Prefix, shared: int, beginnings: list[list[int]], owner: list[int], rests: list[list[int]], keep: int = 1
    ) -> tuple[SharedPrefixCache, torch.Tensor]:
        """Run what stands after the prefix: each beginning once, then each row's rest (the longest last) after a copy of its beginning.

        Returns the cache of the rows and the logits of their last ``keep`` tokens (rows, keep, vocabulary).
        """
        cache, longest = SharedPrefixCache(prefix, len(beginnings)), max(map(len, beginnings))
        cache.reserve(longest + len(rests[-1]))
        if longest:
            ids, real = self._left_padded(beginnings)
            self._forward(ids, (real.cumsum(1) - 1).clamp(min=0) + shared, real, cache, 0)
        cache.gather(torch.tensor(owner, device=self.device))
        before = torch.tensor([[shared + len(beginnings[number])] for number in owner], device=self.device)
        ids, real = self._left_padded(rests)
        return cache, self._forward(ids, (real.cumsum(1) - 1).clamp(min=0) + before, real, cache, longest, keep)

    def _forward(
        self, ids: torch.Tensor, positions: torch.Tensor, real: torch.Tensor, cache: SharedPrefixCache, column: int, keep: int = 1
    ) -> torch.Tensor:
        """Run new positions (rows, n), stored from ``column``; return the logits of the last ``keep`` of them (rows, keep, vocabulary)."""
        cache.begin(real, column)
        with self._counting:
            self.usage.computed_tokens += int(real.sum())
        return self._network(ids, positions, real, cache, keep)

    def _left_padded(self, lists: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ids and which of them are real, both (rows, longest), right-aligned."""
        width = max(map(len, lists))
        ids = np.zeros((len(lists), width), dtype=np.int64)
        real = np.zeros((len(lists), width), dtype=bool)
        for row, tokens in enumerate(lists):
            ids[row, width - len(tokens) :] = tokens
            real[row, width - len(tokens) :] = True
        return torch.from_numpy(ids).to(self.device), torch.from_numpy(real).to(self.device)

    def _prefix(self, token_ids: list[int]) -> Prefix:
        """Return the keys and values of tokens that many rows may share.

        They are computed by blocks, each after those before it, so that what is remembered decides what is computed anew, never a result.
        """
        if not token_ids:
            return Prefix.empty(self._base.config, self.dtype, self.device)
        key = (self._adapter, tuple(token_ids))
        if key not in self._prefixes:
            start = (len(token_ids) - 1) // _BLOCK * _BLOCK
            cache = SharedPrefixCache(self._prefix(token_ids[:start]), 1)
            ids, real = self._left_padded([token_ids[start:]])
            self._forward(ids, real.cumsum(1) - 1 + start, real, cache, 0)
            self._prefixes[key] = cache.as_prefix(len(token_ids) - start)
        return self._prefixes[key]

    # scoring ---------------------------------------------------------------
    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> list[np.ndarray]:
        """Return the log-probability of each continuation token given its prompt (and the tokens before)."""
        started = time.perf_counter()
        heads, tails = self.tokenize(prompts), self.tokenize(continuations)
        if any(not ids for ids in heads):
            raise ValueError("a prompt must not be empty")
        done: dict[int, np.ndarray] = {i: np.zeros(0) for i, tail in enumerate(tails) if not tail}
        with torch.inference_mode():
            work = partial(self._score_left, heads, tails, done)
            there, least = sum(map(len, (*heads, *tails))), max(map(len, tails), default=1)
            self._scored_tokens = halving(work, self._scored_tokens, there=there, least=least, unit="tokens", usage=self.usage)
        self.usage.calls += 1
        self.usage.prompt_tokens += sum(len(ids) for ids in (*heads, *tails))
        self.usage.seconds += time.perf_counter() - started
        return [done[i] for i in range(len(heads))]

    def _score_left(self, heads: Sequence[list[int]], tails: Sequence[list[int]], done: dict[int, np.ndarray], at_once: int) -> None:
        """Score the tails that are not ``done``, ``at_once`` tokens together."""
        left = [i for i in range(len(heads)) if i not in done]
        for shared, members in groups([heads[i] for i in left]):
            prefix = self._prefix(heads[left[members[0]]][:shared])
            scored = sorted((left[m] for m in members), key=lambda i: (len(heads[i]), heads[i], len(tails[i]), i))
            for batch in token_batches(scored, [len(heads[i]) - shared + len(tails[i]) for i in scored], at_once):
                self._score(prefix, shared, [(i, heads[i][shared:], tails[i]) for i in batch], done)

    def _score(self, prefix: Prefix, shared: int, rows: list[tuple[int, list[int], list[int]]], done: dict[int, np.ndarray]) -> None:
        """Score the third of every row, (index, head, tail); rows with the same head read it once."""
        rows = sorted(rows, key=lambda row: len(row[2]))
        beginnings = list(dict.fromkeys(tuple(head[:-1]) for _, head, _ in rows))
        owner = [beginnings.index(tuple(head[:-1])) for _, head, _ in rows]
        rests = [[head[-1], *tail[:-1]] for _, head, tail in rows]
        _, logits = self._read(prefix, shared, list(map(list, beginnings)), owner, rests, keep=len(rests[-1]))
        for (index, _, tail), row in zip(rows, logits, strict=True):
            table = row[-len(tail) :].float().log_softmax(dim=-1)
            done[index] = table[torch.arange(len(tail)), torch.tensor(tail, device=self.device)].double().cpu().numpy()

    # adapters --------------------------------------------------------------
    def load_adapter(self, folder: Path | None) -> None:
        """Switch to the LoRA adapter in ``folder``, merged into a copy of the weights, or back with None."""
        if folder is None:
            self._adapter, self._network = None, self._plain
            return
        check_adapter_folder(Path(folder), self.fingerprint)
        self._adapter = content_hash(Path(folder))
        if self._adapter not in self._adapted:
            self._adapted[self._adapter] = self._open(self._merged(Path(folder)), self._plain)
        self._network = self._adapted[self._adapter]

    def _merged(self, folder: Path) -> Any:
        from peft import PeftModel

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 reads an attribute that transformers 5.23 renames
            try:
                merged: Any = PeftModel.from_pretrained(copy.deepcopy(self._base), str(folder), local_files_only=True).merge_and_unload()
            except (ValueError, KeyError, RuntimeError) as error:
                raise user_error(
                    f"the adapter in {folder} does not fit the language model {self.name}",
                    found=" ".join(str(error).split())[:300],
                    mend="take an adapter of this model, or set llm.model to the adapter's",
                ) from error
        return merged.eval().requires_grad_(False)

    def _open(self, model: Any, beside: Network | None = None) -> Network:
        if not (self._may_fuse and is_plain_llama(model)):
            return TransformersNetwork(model)
        return FusedLlama(model, beside if isinstance(beside, FusedLlama) else None)


def _read_folder(folder: Path, dtype: torch.dtype) -> tuple[Any, Any]:
    """Return tokenizer and model; EagleError where transformers makes nothing of the folder."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return tokenizer, AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise user_error(
            f"{folder} cannot be opened as a language model",
            found=str(error).split("\n")[0],
            expected="a causal language model that transformers knows, its weights in the sizes that config.json names",
            mend="run `dvc repro models`, or set llm.model to another model",
        ) from error


class _Ends:
    """Notices the end of a text: an end-of-turn token, or a stop string anywhere in what was drawn."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        declared = getattr(model.generation_config, "eos_token_id", None)
        ids = declared if isinstance(declared, list) else [declared]
        self._tokens = frozenset(i for i in (*ids, tokenizer.eos_token_id) if i is not None)
        self._pieces: dict[int, str] = {}

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, special ones left out."""
        text: str = self._tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def ended(self, tokens: Sequence[int], stop: tuple[str, ...]) -> tuple[str, Finish | None]:
        """Say whether the last token ended the text, and which text that is."""
        last = tokens[-1]
        if last in self._tokens:
            return self.decode(tokens[:-1]), "stop"
        if last not in self._pieces:
            self._pieces[last] = self.decode([last])
        piece = self._pieces[last]
        if any(s[-1] in piece for s in stop) or (stop and "\ufffd" in piece):
            text = self.decode(tokens)
            found = [text.index(s) for s in stop if s in text]
            if found:
                return text[: min(found)], "stop"
        return "", None
