"""The policy: a LoRA adapter over the frozen language model, scored over whole lists of actions at once.

1. Follows the paper: the policy is a language model that writes the action; it starts as a fine-tuned reference.
2. Differs: a low-rank adapter is trained instead of all weights, so that a 135M model learns on two cores and the agent
   is a few MB.
3. Differs: log-probabilities of the K listed actions come from one packed pass over their trie; the policy over the
   list is normalised at the trie's branching points, which is what decoding restricted to the list samples from.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from cachetools import LRUCache
from peft import LoraConfig, PeftModel, get_peft_model, load_peft_weights, set_peft_model_state_dict
from transformers import AutoModelForCausalLM, AutoTokenizer

from eagle.core import costs
from eagle.core.artifacts import content_hash
from eagle.core.errors import user_error
from eagle.core.seeding import derive_seed
from eagle.engine.base import SamplingSpec, Usage
from eagle.engine.folders import check_adapter_folder
from eagle.engine.torch.decoding import DecodeLoop, Ends, Network
from eagle.engine.torch.rows import DecodingRow
from eagle.engine.torch.sampling import uniforms
from eagle.engine.torch.shared_prefix import TransformersNetwork
from eagle.engine.torch.soft_tokens import read_as
from eagle.policies.adapters import ADAPTER_NOTE, check_base
from eagle.policies.lora_llama import LoraLlama, is_plain_lora
from eagle.policies.prompt import ACTION_END, ACTION_PREFIX
from eagle.policies.trie import PackedBatch, Trie, among_siblings, build_trie, pack, per_action, runs
from eagle.policies.vocabulary import Head, spoken

if TYPE_CHECKING:
    from eagle.config import LoraSettings

#: Tokens, without padding, of one forward pass over listed actions.
TOKENS = 1024
#: Rows written together.
ROWS = 64
#: Remembered prompts (some 9 kB each) and lists (of 100 actions some 18 kB, 560 kB where every token is scored): a pool
#: of training pairs and the states of an evaluation are fewer, and a served agent meets others without end.
PROMPTS, TRIES = 2**14, 2**11
_TRAINED, _REFERENCE = "default", "reference"


@dataclass(frozen=True)
class Written:
    """A freely written action: its text, its tokens with what ended it, and whether it came to an end (of the line, or
    of the turn).
    """

    text: str
    tokens: tuple[int, ...]
    ended: bool


class Scored(NamedTuple):
    """Actions under the present policy, each (n,): log-probability as drawn, exact KL to the reference, entropy per
    token.

    The entropy has no gradient.
    """

    log_prob: torch.Tensor
    kl: torch.Tensor
    entropy: torch.Tensor


class LoraPolicy:
    """Scores lists of actions; trainable, savable as a peft folder."""

    def __init__(self, model: PeftModel, tokenizer: Any, base_hash: str) -> None:
        self.model, self.tokenizer, self.base_hash = model, tokenizer, base_hash
        self.device = next(model.parameters()).device
        self.usage = costs.Counts()
        costs.register(self.usage)
        base: Any = model.get_base_model()
        self.fast = LoraLlama(model) if is_plain_lora(model) else None
        spoken_by = base.get_output_embeddings()
        self.head = self.fast.head if self.fast else Head(spoken_by.weight, getattr(spoken_by, "bias", None))
        self.ends = Ends(base, tokenizer)
        self._tries: LRUCache[tuple[tuple[str, ...], bool], Trie] = LRUCache(TRIES)
        self._prompts: LRUCache[str, list[int]] = LRUCache(PROMPTS)

    # building ------------------------------------------------------------------------------------------------
    @staticmethod
    def _base(folder: Path, dtype: torch.dtype, device: torch.device | str) -> tuple[Any, Any]:
        if not (Path(folder) / "config.json").exists():
            raise user_error(
                f"{folder} holds no language model",
                expected="config.json, tokenizer and safetensors",
                mend="run `dvc repro models`",
            )
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True, use_safetensors=True)
        model.config.use_cache = False
        moved: Any = torch.nn.Module.to(model, device)
        return moved, AutoTokenizer.from_pretrained(folder, local_files_only=True)

    @classmethod
    def create(
        cls,
        folder: Path,
        lora: LoraSettings,
        seed: int,
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> LoraPolicy:
        """Put a fresh adapter (fp32, zero effect) over the model in ``folder``."""
        base, tokenizer = cls._base(folder, dtype, device)
        config = LoraConfig(
            r=lora.rank,
            lora_alpha=lora.alpha,  # type: ignore[arg-type]
            lora_dropout=lora.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", FutureWarning
            )  # peft 0.21 reads an attribute that transformers 5.23 renames
            torch.manual_seed(seed)
            model = get_peft_model(base, config)
        return cls(model, tokenizer, content_hash(folder))

    @classmethod
    def load(
        cls,
        folder: Path,
        adapter: Path,
        *,
        trainable: bool = False,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> LoraPolicy:
        """Open a saved adapter.

        A trainable one gets a frozen twin beside it, which :meth:`as_reference` switches to.
        """
        expected = check_base(adapter, folder)
        base, tokenizer = cls._base(folder, dtype, device)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            model = PeftModel.from_pretrained(base, str(adapter), is_trainable=trainable)
            if trainable:
                model.load_adapter(str(adapter), _REFERENCE, is_trainable=False)
                model.set_adapter(_TRAINED)
        return cls(model, tokenizer, expected)

    def take(self, adapter: Path) -> None:
        """Put the weights of another saved adapter of the same shape in the place of the present ones."""
        check_adapter_folder(adapter, self.base_hash)
        set_peft_model_state_dict(
            self.model, load_peft_weights(str(adapter), device=str(self.device)), adapter_name=_TRAINED
        )

    def save(self, folder: Path, **note: Any) -> None:
        """Write adapter_model.safetensors, adapter_config.json and the note with the base's hash into ``folder``."""
        # The path of the base says where it lay on this machine: its hash is what identifies it.
        adapter: Any = self.model.peft_config[_TRAINED]
        adapter.base_model_name_or_path = f"eagle:{self.base_hash}"
        adapter.target_modules = sorted(
            adapter.target_modules or ()
        )  # peft keeps a set, whose order changes from process to process
        self.model.save_pretrained(str(folder), selected_adapters=[_TRAINED], save_embedding_layers=False)
        (Path(folder) / "README.md").unlink(missing_ok=True)
        (Path(folder) / ADAPTER_NOTE).write_text(
            json.dumps({"base": self.base_hash, **note}, indent=2) + "\n", encoding="utf-8"
        )

    # parameters ----------------------------------------------------------------------------------------------
    @property
    def embeddings(self) -> torch.Tensor:
        """The embeddings of the vocabulary, (vocabulary, width)."""
        base: Any = self.model.get_base_model()
        return base.get_input_embeddings().weight  # type: ignore[no-any-return]

    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """Return the trained parameters by name, in a fixed order."""
        return {name: p for name, p in self.model.named_parameters() if p.requires_grad}

    @contextmanager
    def as_reference(self) -> Iterator[None]:
        """Compute with the frozen reference adapter inside the block."""
        trained, training = self.parameters(), self.model.training
        self.model.set_adapter(_REFERENCE)
        self.model.eval()
        try:
            yield
        finally:
            self.model.set_adapter(_TRAINED)
            self.model.train(training)
            for name, parameter in self.model.named_parameters():
                parameter.requires_grad_(name in trained)

    def seed_dropout(self, seed: int) -> None:
        """Fix the dropout masks of the next pass; without dropout nothing is random."""
        self.model.train(bool(self._dropouts()))
        torch.manual_seed(seed)

    def _drops(self) -> bool:
        return any(m.training for m in self._dropouts())

    def _dropouts(self) -> list[torch.nn.Dropout]:
        return [m for m in self.model.modules() if isinstance(m, torch.nn.Dropout) and m.p > 0]

    # scoring -------------------------------------------------------------------------------------------------
    def tokens(self, prompt: str) -> list[int]:
        """Return the token ids of a prompt; the last ``PROMPTS`` are remembered."""
        if prompt not in self._prompts:
            self._prompts[prompt] = list(self.tokenizer(prompt).input_ids)
        return self._prompts[prompt]

    def action_tokens(self, action: str) -> list[int]:
        """Return the token ids that follow the prompt: the action and the line end."""
        parts = (
            self.tokenizer(part, add_special_tokens=False).input_ids for part in (ACTION_PREFIX + action, ACTION_END)
        )
        return [token for part in parts for token in part]

    def trie(self, actions: Sequence[str], *, full: bool) -> Trie:
        """Return the trie of a list of actions; the last ``TRIES`` are remembered."""
        key = (tuple(actions), full)
        if key not in self._tries:
            self._tries[key] = build_trie([self.action_tokens(action) for action in actions], full=full)
        return self._tries[key]

    def _pack(self, prompts: Sequence[Sequence[int]], tries: Sequence[Trie]) -> PackedBatch:
        return pack(prompts, tries).to(self.device)

    def hidden(self, batch: PackedBatch, soft: torch.Tensor | None = None) -> torch.Tensor:
        """Return hidden states ``(n_slots, width)`` at the predicting positions only.

        ``soft`` (m, width): what ids beyond the vocabulary stand for (:mod:`eagle.engine.torch.soft_tokens`).
        """
        self.usage.calls += 1
        self.usage.prompt_tokens += batch.read
        if self.fast is not None and not self._drops():
            return self.fast.states(batch, soft)
        base: Any = self.model.get_base_model()
        decoder = base.get_decoder()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.model.dtype == torch.bfloat16):
            states = decoder(
                **read_as(batch.input_ids, base, soft),
                position_ids=batch.position_ids,
                attention_mask=batch.attention,
                use_cache=False,
            ).last_hidden_state
        return states[batch.slot_row, batch.slot_column].to(self.model.dtype)  # type: ignore[no-any-return]

    def score_lists(
        self, prompts: Sequence[str], lists: Sequence[Sequence[str]], *, full: bool = False
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Return, per prompt, ``(log_policy, log_vocabulary)``, each ``(K,)``.

        ``log_policy`` is normalised over the list at the trie's branching points; ``log_vocabulary`` is over the whole
        vocabulary: of the complete action with ``full``, else of its tokens down to the last branching point.
        """
        policy: dict[int, torch.Tensor] = {}
        vocabulary: dict[int, torch.Tensor] = {}
        for part, batch in self._passes(prompts, [self.trie(actions, full=full) for actions in lists]):
            edge = spoken(self.hidden(batch), self.head, batch.edge_slot, batch.edge_token).log_probs
            policy |= dict(zip(part, per_action(among_siblings(edge, batch), batch), strict=True))
            vocabulary |= dict(zip(part, per_action(edge, batch), strict=True))
        return [policy[row] for row in range(len(prompts))], [vocabulary[row] for row in range(len(prompts))]

    def log_policies(self, prompts: Sequence[str], lists: Sequence[Sequence[str]]) -> list[torch.Tensor]:
        """Return ``log_policy`` of :meth:`score_lists` alone, which needs only the logits of the lists' own tokens."""
        policy: dict[int, torch.Tensor] = {}
        for part, batch in self._passes(prompts, [self.trie(actions, full=False) for actions in lists]):
            logits = self.head.chosen(self.hidden(batch)[batch.edge_slot], batch.edge_token)
            policy |= dict(zip(part, per_action(among_siblings(logits, batch), batch), strict=True))
        return [policy[row] for row in range(len(prompts))]

    def _passes(self, prompts: Sequence[str], tries: Sequence[Trie]) -> Iterator[tuple[list[int], PackedBatch]]:
        """Yield rows and their batch, at most ``TOKENS`` of them; rows of similar length stand together, so that little
        is padded.
        """
        rows = [self.tokens(prompt) for prompt in prompts]
        lengths = [len(row) + len(trie.tokens) for row, trie in zip(rows, tries, strict=True)]
        order = sorted(range(len(rows)), key=lengths.__getitem__)
        for part in runs(order, lambda row: lengths[row], TOKENS):
            yield part, self._pack([rows[row] for row in part], [tries[row] for row in part])

    def prompt_states(self, prompts: Sequence[str]) -> torch.Tensor:
        """Return the hidden state ``(n, width)`` at the last token of each prompt."""
        distinct = list(dict.fromkeys(prompts))
        states = self.hidden(
            self._pack([self.tokens(p) for p in distinct], [build_trie([[0]], full=True)] * len(distinct))
        )
        return states[[distinct.index(p) for p in prompts]]

    def score_texts(
        self, prompts: Sequence[str], sequences: Sequence[tuple[int, ...]], temperature: float = 1.0
    ) -> Scored:
        """Score each prompt's continuation, token by token.

        A prompt is read once, however many continuations it has.
        """
        texts: dict[str, list[tuple[int, ...]]] = {}
        for prompt, sequence in dict.fromkeys(zip(prompts, sequences, strict=True)):
            texts.setdefault(prompt, []).append(sequence)
        place = {pair: number for number, pair in enumerate((p, s) for p, distinct in texts.items() for s in distinct)}
        rows = [place[pair] for pair in zip(prompts, sequences, strict=True)]
        batch = self._pack(
            [self.tokens(p) for p in texts], [build_trie(distinct, full=True) for distinct in texts.values()]
        )
        with torch.no_grad(), self.as_reference():
            reference = self.hidden(batch)
        found = spoken(
            self.hidden(batch),
            self.head,
            batch.edge_slot,
            batch.edge_token,
            temperature=temperature,
            reference=reference,
        )
        edges = (found.log_probs, found.kl[batch.edge_slot], found.entropy[batch.edge_slot])
        log_prob, kl, entropy = (torch.cat(per_action(edge, batch))[rows] for edge in edges)
        return Scored(log_prob, kl, entropy / torch.tensor([len(s) for s in sequences], device=self.device))

    def score_lines(
        self, prompts: Sequence[Sequence[int]], lines: Sequence[Sequence[int]], soft: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return log-probabilities (n_tokens,) of all tokens of ``lines``, one after each prompt; both are token ids.

        ``soft``: see :meth:`hidden`.
        """
        batch = self._pack(prompts, [build_trie([line], full=True) for line in lines])
        return spoken(self.hidden(batch, soft), self.head, batch.edge_slot, batch.edge_token).log_probs

    # writing -------------------------------------------------------------------------------------------------
    def write(self, prompts: Sequence[str], temperature: float, seed: int, max_new_tokens: int = 24) -> list[Written]:
        """Write one action per prompt, up to the line end, with the weights being trained (agents go through the
        language-model seam).
        """
        draws = uniforms([derive_seed(seed, row) for row in range(len(prompts))], max_new_tokens)
        rows = [DecodingRow(i, self.tokens(prompt), draws[i]) for i, prompt in enumerate(prompts)]
        self.decode(rows, SamplingSpec(max_new_tokens, temperature, stop=(ACTION_END,)))
        return [Written(row.text.strip(), tuple(row.tokens), row.finish == "stop") for row in rows]

    def decode(self, rows: Sequence[DecodingRow], spec: SamplingSpec, soft: torch.Tensor | None = None) -> None:
        """Write ``rows`` to their ends; ``soft``: see :meth:`hidden`."""
        self.usage.calls += 1
        self.usage.prompt_tokens += sum(len(row.suffix) for row in rows)
        with self.network(soft) as network:
            DecodeLoop(network, self.model.get_base_model(), self.ends, Usage()).complete(list(rows), spec, ROWS)
        self.usage.new_tokens += sum(len(row.tokens) for row in rows)

    @contextmanager
    def network(self, soft: torch.Tensor | None = None) -> Iterator[Network]:
        """The active adapter as the decode loop wants it; outside of the block the model attends as before."""
        if self.fast is not None:
            with torch.no_grad():
                yield self.fast.network(soft)
            return
        base: Any = self.model.get_base_model()
        training, attention = self.model.training, base.config._attn_implementation
        self.model.eval()
        try:
            yield TransformersNetwork(base, soft)
        finally:
            base.set_attn_implementation(attention)
            self.model.train(training)
