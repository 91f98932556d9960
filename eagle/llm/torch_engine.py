"""The language model on a torch device: a small decode loop over transformers' model.

Long common prefixes are computed once and shared; rows are sorted by length and decoded `batch_rows` at a time; rows
that have ended leave the batch. A row's draws come from its own seed, so in float32 a batch equals its rows one by one;
in bfloat16 the arithmetic depends on the batch, hence a call (its set of prompts and seeds) is what repeats exactly.
"""

from __future__ import annotations

import copy
import time
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from eagle.artifacts import content_hash
from eagle.errors import user_error
from eagle.llm.base import Completion, Finish, SamplingSpec, Usage, engine_code
from eagle.llm.fetch import check_model_folder
from eagle.llm.offline import stay_offline

stay_offline()

import torch  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402
from transformers.utils import logging  # noqa: E402

from eagle.llm.llama import FusedLlama, is_plain_llama  # noqa: E402
from eagle.llm.sampling import choose, uniforms  # noqa: E402
from eagle.llm.shared_prefix import NAME, Prefix, SharedPrefixCache, compute_prefix  # noqa: E402
from eagle.torch_device import pick_device, pick_dtype  # noqa: E402

_SHARED_AT_LEAST = 16  # tokens: shorter common prefixes are not worth a pass of their own
_COMPACT_BELOW = 0.8  # share of live rows at which the ended ones are taken out of the cache
_SCORED_TOKENS = 4096  # tokens per scoring batch: bounds the logits in memory


@dataclass
class _Row:
    """One prompt on its way: what is left after the shared prefix, what was drawn."""

    index: int
    suffix: list[int]
    draws: np.ndarray
    tokens: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
    finish: Finish | None = None
    text: str = ""


class TorchModel:
    """A :class:`~eagle.llm.base.LanguageModel` over a folder in transformers' layout."""

    def __init__(self, folder: Path, *, dtype: str = "auto", device: str = "auto", batch_rows: int = 64, fuse: bool = True) -> None:
        check_model_folder(Path(folder), chat=True)
        logging.disable_progress_bar()
        self.device = pick_device(device)
        self.dtype = pick_dtype(dtype, self.device)
        self.batch_rows = batch_rows
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._base: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=self.dtype, local_files_only=True, use_safetensors=True)
        self.name = Path(folder).name
        self.fingerprint = content_hash(Path(folder))
        numbers = f"{self.dtype} {self.device} {torch.get_num_threads()} threads {batch_rows} rows"
        self.arithmetic = f"{engine_code()} torch {torch.__version__} {numbers}"
        self.rows_alone = self.dtype == torch.float32
        self.usage = Usage()
        self._prefixes: OrderedDict[tuple[str | None, tuple[int, ...]], Prefix] = OrderedDict()
        self._base.eval().requires_grad_(False).to(self.device)
        self._ends = _Ends(self._base, self.tokenizer)
        self._may_fuse = fuse
        self._use(self._base, None)

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
        done: list[Completion | None] = [None] * len(prompts)
        with torch.inference_mode():
            for shared, members in _groups(token_ids):
                prefix = self._prefix(token_ids[members[0]][:shared])
                rows = [_Row(i, token_ids[i][shared:], draws[i]) for i in members]
                for batch in _row_batches(rows, self.batch_rows):
                    self._decode(prefix, shared, batch, spec)
                for row in rows:
                    done[row.index] = Completion(row.text, tuple(row.tokens), tuple(row.log_probs), row.finish or "length")
        self.usage.calls += 1
        self.usage.prompt_tokens += sum(len(ids) for ids in token_ids)
        self.usage.new_tokens += sum(len(c.token_ids) for c in done if c is not None)
        self.usage.seconds += time.perf_counter() - started
        return [completion for completion in done if completion is not None]

    def _decode(self, prefix: Prefix, shared: int, rows: list[_Row], spec: SamplingSpec) -> None:
        """Fill in the rows' tokens: prompts first, then one token per row and pass."""
        cache, logits, position = self._read_prompts(prefix, shared, [row.suffix for row in rows])
        live = list(rows)
        for step in range(spec.max_new_tokens):
            draws = torch.tensor([row.draws[step] for row in live], device=self.device)
            tokens, log_probs = choose(logits.float(), draws, spec.temperature, spec.top_p)
            for row, token, log_prob in zip(live, tokens.tolist(), log_probs.tolist(), strict=True):
                if row.finish is None:
                    row.tokens.append(token)
                    row.log_probs.append(log_prob)
                    row.text, row.finish = self._ends.ended(row.tokens, spec.stop)
            running = [i for i, row in enumerate(live) if row.finish is None]
            if not running or step + 1 == spec.max_new_tokens:
                break
            if len(running) <= _COMPACT_BELOW * len(live):
                chosen = torch.tensor(running, device=self.device)
                cache.gather(chosen)
                tokens, position = tokens[chosen], position[chosen]
                live = [live[i] for i in running]
            position = position + 1
            logits = self._forward(tokens[:, None], position, cache, torch.ones_like(position, dtype=torch.bool))[:, -1]
        for row in rows:
            if row.finish is None:
                row.text, row.finish = self._ends.decode(row.tokens), "length"

    def _read_prompts(self, prefix: Prefix, shared: int, suffixes: list[list[int]]) -> tuple[SharedPrefixCache, torch.Tensor, torch.Tensor]:
        """Run what rows have beyond the prefix; what neighbours have in common there runs once and is copied.

        Returns the cache, the logits (rows, vocabulary) after each prompt and the last positions (rows, 1).
        """
        lengths, owner = _stems(suffixes)
        stems = [suffixes[owner.index(group)][:length] for group, length in enumerate(lengths)]
        cache = SharedPrefixCache(prefix, len(stems))
        if max(lengths) > 0:
            ids, real = self._left_padded(stems)
            self._forward(ids, (real.cumsum(1) - 1).clamp(min=0) + shared, cache, real)
        cache.gather(torch.tensor(owner, device=self.device))
        read = torch.tensor([lengths[group] for group in owner], device=self.device)[:, None] + shared
        ids, real = self._left_padded([tokens[lengths[group] :] for tokens, group in zip(suffixes, owner, strict=True)])
        positions = (real.cumsum(1) - 1).clamp(min=0) + read
        return cache, self._forward(ids, positions, cache, real)[:, -1], positions[:, -1:]

    def _forward(
        self, ids: torch.Tensor, positions: torch.Tensor, cache: SharedPrefixCache, real: torch.Tensor, keep: int = 1
    ) -> torch.Tensor:
        """Run new positions (rows, n) and return the logits of the last ``keep`` of them (rows, keep, vocabulary)."""
        mask = cache.begin(real)
        self.usage.computed_tokens += ids.numel()
        if self._fused is not None:
            return self._fused(ids, positions, cache, keep)
        out = self.model(
            input_ids=ids,
            position_ids=positions,
            attention_mask=mask,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=keep,
            shared=cache,
        )
        logits: torch.Tensor = out.logits
        return logits

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
        """Return the shared prefix's keys and values; the last two prefixes are remembered."""
        key = (self._adapter, tuple(token_ids))
        if key not in self._prefixes:
            self._prefixes[key] = compute_prefix(self.model, token_ids)
            self.usage.computed_tokens += len(token_ids)
        self._prefixes.move_to_end(key)
        while len(self._prefixes) > 2:
            self._prefixes.popitem(last=False)
        return self._prefixes[key]

    # scoring ---------------------------------------------------------------
    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> list[np.ndarray]:
        """Return the log-probability of each continuation token given its prompt (and the tokens before)."""
        started = time.perf_counter()
        heads, tails = self.tokenize(prompts), self.tokenize(continuations)
        if any(not ids for ids in heads):
            raise ValueError("a prompt must not be empty")
        done: list[np.ndarray] = [np.zeros(0) for _ in heads]
        with torch.inference_mode():
            for shared, members in _groups(heads):
                prefix = self._prefix(heads[members[0]][:shared])
                scored = [i for i in members if tails[i]]
                scored.sort(key=lambda i: (len(heads[i]) + len(tails[i]), i))
                for batch in _token_batches(scored, [len(heads[i]) - shared + len(tails[i]) for i in scored]):
                    self._score(prefix, shared, [(i, heads[i][shared:], tails[i]) for i in batch], done)
        self.usage.calls += 1
        self.usage.prompt_tokens += sum(len(ids) for ids in (*heads, *tails))
        self.usage.seconds += time.perf_counter() - started
        return done

    def _score(self, prefix: Prefix, shared: int, rows: list[tuple[int, list[int], list[int]]], done: list[np.ndarray]) -> None:
        keep = max(len(tail) for _, _, tail in rows)
        ids, real = self._left_padded([[*head, *tail[:-1]] for _, head, tail in rows])
        positions = (real.cumsum(1) - 1).clamp(min=0) + shared
        logits = self._forward(ids, positions, SharedPrefixCache(prefix, len(rows)), real, keep)
        for (index, _, tail), row in zip(rows, logits, strict=True):
            table = row[-len(tail) :].float().log_softmax(dim=-1)
            done[index] = table[torch.arange(len(tail)), torch.tensor(tail, device=self.device)].double().cpu().numpy()

    # adapters --------------------------------------------------------------
    def load_adapter(self, folder: Path | None) -> None:
        """Switch to the LoRA adapter in ``folder``, merged into a copy of the weights, or back with None."""
        if folder is None:
            self._use(self._base, None)
            return
        if not (Path(folder) / "adapter_model.safetensors").is_file():
            raise user_error(f"{folder} holds no LoRA adapter", expected="adapter_config.json and adapter_model.safetensors")
        name = content_hash(Path(folder))
        if name == self._adapter:
            return
        from peft import PeftModel

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 reads an attribute that transformers 5.23 renames
            merged: Any = PeftModel.from_pretrained(copy.deepcopy(self._base), str(folder), local_files_only=True).merge_and_unload()
        self._use(merged.eval().requires_grad_(False), name)

    def _use(self, model: Any, adapter: str | None) -> None:
        self.model, self._adapter = model, adapter
        self.model.set_attn_implementation(NAME)
        self._fused = FusedLlama(model) if self._may_fuse and is_plain_llama(model) else None


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


def _groups(token_ids: Sequence[list[int]]) -> Iterator[tuple[int, list[int]]]:
    """Yield (length of the common prefix, rows) for rows that begin alike; every row keeps at least one token of its own."""
    opening: dict[tuple[int, ...], list[int]] = {}
    for index, ids in enumerate(token_ids):
        opening.setdefault(tuple(ids[:_SHARED_AT_LEAST]), []).append(index)
    for members in opening.values():
        low, high = min(token_ids[i] for i in members), max(token_ids[i] for i in members)
        limit = min(len(token_ids[i]) for i in members) - 1
        shared = next((n for n in range(limit) if low[n] != high[n]), limit)
        yield (shared if shared >= _SHARED_AT_LEAST else 0), members


def _stems(suffixes: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Group neighbouring rows that begin alike; every row keeps at least one token of its own.

    Returns the common length of each group (0 for a row alone), and each row's group.
    """
    lengths: list[int] = []
    owner: list[int] = []
    first: Sequence[int] = ()
    for index, tokens in enumerate(suffixes):
        common = next((n for n, (a, b) in enumerate(zip(first, tokens, strict=False)) if a != b), min(len(first), len(tokens)))
        common = min(common, len(first) - 1, len(tokens) - 1)
        if index and common >= max(_SHARED_AT_LEAST, len(first) // 2):
            lengths[-1] = min(common, lengths[-1]) if owner.count(len(lengths) - 1) > 1 else common
        else:
            first = tokens
            lengths.append(0)
        owner.append(len(lengths) - 1)
    return lengths, owner


def _row_batches(rows: Sequence[_Row], at_most: int) -> Iterator[list[_Row]]:
    """Cut rows into batches: rows that begin alike side by side, those of like length together."""
    rows = sorted(rows, key=lambda row: (row.suffix, row.index))
    _, owner = _stems([row.suffix for row in rows])
    longest: dict[int, int] = {}
    for row, group in zip(rows, owner, strict=True):
        longest[group] = max(longest.get(group, 0), len(row.suffix))
    order = sorted(range(len(rows)), key=lambda i: (longest[owner[i]], owner[i], i))
    for start in range(0, len(rows), at_most):
        yield [rows[i] for i in order[start : start + at_most]]


def _token_batches(rows: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    """Cut rows, sorted by length, into batches of at most _SCORED_TOKENS padded tokens."""
    batch: list[int] = []
    for row, length in zip(rows, lengths, strict=True):
        if batch and (len(batch) + 1) * length > _SCORED_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
