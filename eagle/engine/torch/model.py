"""The language model on a torch device: a small decode loop (:mod:`eagle.engine.torch.decoding`) over transformers'
model.

A row's draws come from its own seed, so in float32 a batch equals its rows one by one; in bfloat16 the arithmetic
depends on the batch, hence a call (its set of prompts and seeds) is what repeats exactly.
"""

from __future__ import annotations

import copy
import logging
import time
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from cachetools import LRUCache

from eagle.core.artifacts import content_hash
from eagle.core.errors import user_error
from eagle.engine.base import Completion, SamplingSpec, Usage
from eagle.engine.folders import check_adapter_folder, check_model_folder
from eagle.engine.identity import TORCH, deciding_code
from eagle.engine.offline import stay_offline
from eagle.engine.torch.forbidden import ForbiddenTexts

stay_offline()

import torch  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402
from transformers.utils.logging import disable_progress_bar  # noqa: E402

from eagle.compute.devices import pick_device, pick_dtype  # noqa: E402
from eagle.engine.memory import halving, no_memory, ran_out  # noqa: E402
from eagle.engine.tokenizer import rendered, tokenized  # noqa: E402
from eagle.engine.torch.decoding import DecodeLoop, Ends  # noqa: E402
from eagle.engine.torch.llama import FusedLlama, is_plain_llama  # noqa: E402
from eagle.engine.torch.rows import SCORED_TOKENS, DecodingRow, groups, token_batches  # noqa: E402
from eagle.engine.torch.sampling import uniforms  # noqa: E402
from eagle.engine.torch.shared_prefix import Prefix, TransformersNetwork  # noqa: E402
from eagle.engine.torch.single_row import SingleLlama  # noqa: E402

_log = logging.getLogger(__name__)
_ADAPTED_BYTES = (
    1 << 30
)  # merged weights remembered, the last at least: evaluation changes adapters several times a step


class TorchModel:
    """A :class:`~eagle.engine.base.LanguageModel` over a folder in transformers' layout."""

    def __init__(
        self,
        folder: Path,
        *,
        dtype: str = "auto",
        device: str = "auto",
        batch_rows: int = 64,
        fuse: bool = True,
        single: bool = False,
    ) -> None:
        """``single``: on a processor, write a row that is alone as :mod:`eagle.engine.torch.single_row` does."""
        check_model_folder(Path(folder), chat=True)
        disable_progress_bar()
        self.device = pick_device(device)
        self.dtype = pick_dtype(dtype, self.device)
        self.batch_rows = batch_rows
        self._single = single and self.device.type == "cpu"
        self.scored_tokens = SCORED_TOKENS  # in one pass; fewer once memory ran out
        self.tokenizer, self._base = _read_folder(Path(folder), self.dtype)
        self.name = Path(folder).name
        self.fingerprint = content_hash(Path(folder))
        self.arithmetic = self._arithmetic()
        self.batch_invariant = self.dtype == torch.float32
        self._usage = Usage()
        self._base.eval().requires_grad_(False).to(self.device)
        self.ends = Ends(self._base, self.tokenizer)
        self._may_fuse = fuse
        self._plain = self._open(self._base)
        self.loop = self._plain  # of the adapter that is loaded now
        layers: int = sum(p.nbytes for name, p in self._base.named_parameters() if "layers" in name)
        self._adapted: LRUCache[str, DecodeLoop] = LRUCache(max(1, _ADAPTED_BYTES // max(1, layers)))

    @property
    def usage(self) -> Usage:
        """Counters; those of another engine may be put in their place, so that both keep one account."""
        return self._usage

    @usage.setter
    def usage(self, usage: Usage) -> None:
        self._usage = usage
        for loop in (self._plain, *self._adapted.values()):
            loop.usage = usage

    def _arithmetic(self) -> str:
        numbers = (
            f"{self.dtype} {self.device} {torch.get_num_threads()} threads {self.batch_rows} "
            f"rows{' single' * self._single}"
        )
        return f"{deciding_code(TORCH)} torch {torch.__version__} {numbers}"

    # prompts ---------------------------------------------------------------
    def chat(self, messages: Sequence[tuple[str, str]], prefill: str = "") -> str:
        """Render turns with the model's chat template; ``prefill`` opens the assistant's turn."""
        return rendered(self.tokenizer, messages, prefill)

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Return token ids without added special tokens."""
        return tokenized(self.tokenizer, texts)

    # generation ------------------------------------------------------------
    def generate(
        self, prompts: Sequence[str], spec: SamplingSpec, seeds: Sequence[int], forbidden: Sequence[Sequence[str]] = ()
    ) -> list[Completion]:
        """Continue every prompt; see :class:`~eagle.engine.base.LanguageModel`. Prompts must not be empty."""
        started = time.perf_counter()
        token_ids = self.tokenize(prompts)
        if any(not ids for ids in token_ids):
            raise ValueError("a prompt must not be empty")
        draws = uniforms(seeds, spec.max_new_tokens) if prompts else np.zeros((0, 0))
        done: dict[int, Completion] = {}
        conditions = self._forbidden(token_ids, forbidden, spec) if spec.temperature > 0 else {}
        write = partial(self._write, token_ids, draws, spec, conditions, done)
        halving(write, self.batch_rows, doing="writing", there=len(prompts), least=1, unit="rows", usage=self.usage)
        self.usage.calls += 1
        self.usage.prompt_tokens += sum(len(ids) for ids in token_ids)
        self.usage.new_tokens += sum(len(c.token_ids) for c in done.values())
        self.usage.seconds += time.perf_counter() - started
        return [done[i] for i in range(len(prompts))]

    def _write(
        self,
        token_ids: Sequence[list[int]],
        draws: np.ndarray,
        spec: SamplingSpec,
        forbidden: Mapping[int, ForbiddenTexts],
        done: dict[int, Completion],
        at_once: int,
    ) -> None:
        """Write what is not ``done``, ``at_once`` rows together; in bfloat16, where a text depends on its batch, write
        everything.
        """
        self._take_rows(at_once)
        if not self.batch_invariant:
            done.clear()
        rows = [
            DecodingRow(i, ids, draws[i], forbidden=forbidden.get(i))
            for i, ids in enumerate(token_ids)
            if i not in done
        ]
        try:
            self.loop.complete(rows, spec, at_once)
        finally:
            done |= {
                row.index: Completion(row.text, tuple(row.tokens), tuple(row.log_probs), row.finish)
                for row in rows
                if row.finish
            }

    def _forbidden(
        self, token_ids: Sequence[list[int]], forbidden: Sequence[Sequence[str]], spec: SamplingSpec
    ) -> dict[int, ForbiddenTexts]:
        """Return what each row must not come out as, and how likely that is to be drawn.

        The first stop string ends it.
        """
        texts = {row: list(dict.fromkeys(own)) for row, own in enumerate(forbidden) if own}
        end = self.tokenize(spec.stop[:1])
        asked = [(row, ids) for row, own in texts.items() for ids in self.tokenize(own)]
        if not asked or not end:
            return {}
        heads, tails = [token_ids[row] for row, _ in asked], [ids + end[0] for _, ids in asked]
        found = self.score_tokens(heads, tails, spec.temperature)
        own = {row: [i for i, (other, _) in enumerate(asked) if other == row] for row in texts}
        return {
            row: ForbiddenTexts([tails[i] for i in places], [found[i] for i in places]) for row, places in own.items()
        }

    def _take_rows(self, at_once: int) -> None:
        """Decode so many rows together from here on.

        In float32 no text knows of it; in bfloat16 a cache must not mix them.
        """
        if at_once == self.batch_rows:
            return
        self.batch_rows = at_once
        if not self.batch_invariant:
            self.arithmetic = self._arithmetic()
            _log.warning(
                "in bfloat16 texts may come out otherwise: from here on they are those of llm.batch_rows: %d", at_once
            )

    # scoring ---------------------------------------------------------------
    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> list[np.ndarray]:
        """Return the log-probability of each continuation token given its prompt (and the tokens before)."""
        started = time.perf_counter()
        heads, tails = self.tokenize(prompts), self.tokenize(continuations)
        if any(not ids for ids in heads):
            raise ValueError("a prompt must not be empty")
        scores = self.score_tokens(heads, tails, temperature=1.0)
        self.usage.calls += 1
        self.usage.prompt_tokens += sum(len(ids) for ids in (*heads, *tails))
        self.usage.seconds += time.perf_counter() - started
        return scores

    @torch.inference_mode()
    def score_tokens(
        self, heads: Sequence[list[int]], tails: Sequence[list[int]], temperature: float
    ) -> list[np.ndarray]:
        """Return the log-probability of each token of the tails as drawn at ``temperature``, by row."""
        done: dict[int, np.ndarray] = {i: np.zeros(0) for i, tail in enumerate(tails) if not tail}
        work = partial(self._score_left, heads, tails, temperature, done)
        there, least = sum(map(len, (*heads, *tails))), max(map(len, tails), default=1)
        self.scored_tokens = halving(
            work, self.scored_tokens, doing="scoring", there=there, least=least, unit="tokens", usage=self.usage
        )
        return [done[i] for i in range(len(heads))]

    def _score_left(
        self,
        heads: Sequence[list[int]],
        tails: Sequence[list[int]],
        temperature: float,
        done: dict[int, np.ndarray],
        at_once: int,
    ) -> None:
        """Score the tails that are not ``done``, ``at_once`` tokens together."""
        left = [i for i in range(len(heads)) if i not in done]
        for shared, members in groups([heads[i] for i in left]):
            prefix = self.loop.prefix(heads[left[members[0]]][:shared])
            scored = sorted((left[m] for m in members), key=lambda i: (len(heads[i]), heads[i], len(tails[i]), i))
            for batch in token_batches(scored, [len(heads[i]) - shared + len(tails[i]) for i in scored], at_once):
                self._score(prefix, shared, [(i, heads[i][shared:], tails[i]) for i in batch], done, temperature)

    def _score(
        self,
        prefix: Prefix,
        shared: int,
        rows: list[tuple[int, list[int], list[int]]],
        done: dict[int, np.ndarray],
        temperature: float,
    ) -> None:
        """Score the third of every row, (index, head, tail); rows with the same head read it once."""
        rows = sorted(rows, key=lambda row: len(row[2]))
        beginnings = list(dict.fromkeys(tuple(head[:-1]) for _, head, _ in rows))
        owner = [beginnings.index(tuple(head[:-1])) for _, head, _ in rows]
        rests = [[head[-1], *tail[:-1]] for _, head, tail in rows]
        _, logits = self.loop.read(prefix, shared, list(map(list, beginnings)), owner, rests, keep=len(rests[-1]))
        for (index, _, tail), row in zip(rows, logits, strict=True):
            table = (row[-len(tail) :].float() / temperature).log_softmax(dim=-1)
            done[index] = table[torch.arange(len(tail)), torch.tensor(tail, device=self.device)].double().cpu().numpy()

    # adapters --------------------------------------------------------------
    def load_adapter(self, folder: Path | None) -> None:
        """Switch to the LoRA adapter in ``folder``, merged into a copy of the weights, or back with None."""
        if folder is None:
            self.loop = self._plain
            return
        check_adapter_folder(Path(folder), self.fingerprint)
        adapter = content_hash(Path(folder))
        if adapter not in self._adapted:
            self._adapted[adapter] = self._open(self._merged(Path(folder)), self._plain)
        self.loop = self._adapted[adapter]

    def _merged(self, folder: Path) -> Any:
        from peft import PeftModel

        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", FutureWarning
            )  # peft 0.21 reads an attribute that transformers 5.23 renames
            try:
                merged: Any = PeftModel.from_pretrained(
                    copy.deepcopy(self._base), str(folder), local_files_only=True
                ).merge_and_unload()
            except (ValueError, KeyError, RuntimeError) as error:
                if ran_out(error):
                    raise no_memory(f"opening the adapter in {folder}", error) from error
                raise user_error(
                    f"the adapter in {folder} does not fit the language model {self.name}",
                    found=" ".join(str(error).split())[:300],
                    mend="take an adapter of this model, or set llm.model to the adapter's",
                ) from error
        return merged.eval().requires_grad_(False)

    def _open(self, model: Any, beside: DecodeLoop | None = None) -> DecodeLoop:
        """Open weights; what equals those of ``beside`` is shared with it."""
        if not (self._may_fuse and is_plain_llama(model)):
            return DecodeLoop(TransformersNetwork(model), model, self.ends, self._usage)
        fused = FusedLlama.of(model, beside.network if beside and isinstance(beside.network, FusedLlama) else None)
        single = SingleLlama(model, fused, beside.single if beside else None) if self._single else None
        return DecodeLoop(fused, model, self.ends, self._usage, single)


def _read_folder(folder: Path, dtype: torch.dtype) -> tuple[Any, Any]:
    """Return tokenizer and model; EagleError where transformers makes nothing of the folder."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return tokenizer, AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        if ran_out(error):
            raise no_memory(f"opening the language model in {folder}", error) from error
        raise user_error(
            f"{folder} cannot be opened as a language model",
            found=str(error).split("\n")[0],
            expected="a causal language model that transformers knows, its weights in the sizes that config.json names",
            mend="run `dvc repro models`, or set llm.model to another model",
        ) from error
