"""The policy: a LoRA adapter over the frozen language model, scored over whole lists of actions at once.

1. Follows the paper: the policy is a language model that writes the action; it starts as a fine-tuned reference.
2. Differs: a low-rank adapter is trained instead of all weights, so that a 135M model learns on two cores and the agent is a few MB.
3. Differs: log-probabilities of the K listed actions come from one packed pass over their trie; the policy over the list is
   normalised at the trie's branching points, which is what decoding restricted to the list samples from.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from eagle import costs
from eagle.artifacts import content_hash
from eagle.errors import user_error
from eagle.policies.adapters import ADAPTER_NOTE, check_base
from eagle.policies.prompt import ACTION_END, ACTION_PREFIX
from eagle.policies.trie import PackedBatch, Trie, build_trie, pack

if TYPE_CHECKING:
    from eagle.config import LoraSettings

#: Rows of one forward pass.
ROWS = 6
_TRAINED, _REFERENCE = "default", "reference"


@dataclass(frozen=True)
class Written:
    """A freely written action: its text, its tokens with the line end, and whether it came to a line end."""

    text: str
    tokens: tuple[int, ...]
    ended: bool


class LoraPolicy:
    """Scores lists of actions; trainable, savable as a peft folder."""

    def __init__(self, model: PeftModel, tokenizer: Any, base_hash: str) -> None:
        self.model, self.tokenizer, self.base_hash = model, tokenizer, base_hash
        self.device = next(model.parameters()).device
        self.usage = costs.Counts()
        costs.register(self.usage)
        self._tries: dict[tuple[tuple[str, ...], bool], Trie] = {}
        self._prompts: dict[str, list[int]] = {}

    # building ------------------------------------------------------------------------------------------------
    @staticmethod
    def _base(folder: Path, dtype: torch.dtype, device: torch.device | str) -> tuple[Any, Any]:
        if not (Path(folder) / "config.json").exists():
            raise user_error(
                f"{folder} holds no language model", expected="config.json, tokenizer and safetensors", mend="run `dvc repro models`"
            )
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True, use_safetensors=True)
        model.config.use_cache = False
        moved: Any = torch.nn.Module.to(model, device)
        return moved, AutoTokenizer.from_pretrained(folder, local_files_only=True)

    @classmethod
    def create(
        cls, folder: Path, lora: LoraSettings, seed: int, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
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
            warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 reads an attribute that transformers 5.23 renames
            torch.manual_seed(seed)
            model = get_peft_model(base, config)
        return cls(model, tokenizer, content_hash(folder))

    @classmethod
    def load(
        cls, folder: Path, adapter: Path, *, trainable: bool = False, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
    ) -> LoraPolicy:
        """Open a saved adapter. A trainable one gets a frozen twin beside it, which :meth:`as_reference` switches to."""
        expected = check_base(adapter, folder)
        base, tokenizer = cls._base(folder, dtype, device)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            model = PeftModel.from_pretrained(base, str(adapter), is_trainable=trainable)
            if trainable:
                model.load_adapter(str(adapter), _REFERENCE, is_trainable=False)
                model.set_adapter(_TRAINED)
        return cls(model, tokenizer, expected)

    def save(self, folder: Path, **note: Any) -> None:
        """Write adapter_model.safetensors, adapter_config.json and the note with the base's hash into ``folder``."""
        # The path of the base says where it lay on this machine: its hash is what identifies it.
        adapter: Any = self.model.peft_config[_TRAINED]
        adapter.base_model_name_or_path = f"eagle:{self.base_hash}"
        adapter.target_modules = sorted(adapter.target_modules or ())  # peft keeps a set, whose order changes from process to process
        self.model.save_pretrained(str(folder), selected_adapters=[_TRAINED], save_embedding_layers=False)
        (Path(folder) / "README.md").unlink(missing_ok=True)
        (Path(folder) / ADAPTER_NOTE).write_text(json.dumps({"base": self.base_hash, **note}, indent=2) + "\n", encoding="utf-8")

    # parameters ----------------------------------------------------------------------------------------------
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
        self.model.train(any(d > 0 for d in self._dropouts()))
        torch.manual_seed(seed)

    def _dropouts(self) -> list[float]:
        return [m.p for m in self.model.modules() if isinstance(m, torch.nn.Dropout)]

    # scoring -------------------------------------------------------------------------------------------------
    def tokens(self, prompt: str) -> list[int]:
        """Return the token ids of a prompt (cached)."""
        if prompt not in self._prompts:
            self._prompts[prompt] = list(self.tokenizer(prompt).input_ids)
        return self._prompts[prompt]

    def action_tokens(self, action: str) -> list[int]:
        """Return the token ids that follow the prompt: the action and the line end."""
        parts = (self.tokenizer(part, add_special_tokens=False).input_ids for part in (ACTION_PREFIX + action, ACTION_END))
        return [token for part in parts for token in part]

    def trie(self, actions: Sequence[str], *, full: bool) -> Trie:
        """Return the trie of a list of actions (cached)."""
        key = (tuple(actions), full)
        if key not in self._tries:
            self._tries[key] = build_trie([self.action_tokens(action) for action in actions], full=full)
        return self._tries[key]

    def hidden(self, batch: PackedBatch) -> torch.Tensor:
        """Return hidden states ``(n_slots, width)`` at the predicting positions only."""
        self.usage.calls += 1
        self.usage.prompt_tokens += batch.read
        base: Any = self.model.get_base_model()
        decoder = base.get_decoder()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.model.dtype == torch.bfloat16):
            states = decoder(
                input_ids=batch.input_ids.to(self.device),
                position_ids=batch.position_ids.to(self.device),
                attention_mask=batch.attention.to(self.device),
                use_cache=False,
            ).last_hidden_state
        return states[batch.slot_row.to(self.device), batch.slot_column.to(self.device)]  # type: ignore[no-any-return]

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """Return float32 logits ``(n, vocabulary)`` of hidden states."""
        base: Any = self.model.get_base_model()
        head = base.get_output_embeddings()
        return head(states.to(head.weight.dtype)).float()  # type: ignore[no-any-return]

    def score_lists(
        self, prompts: Sequence[str], lists: Sequence[Sequence[str]], *, full: bool = False
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Return, per prompt, ``(log_policy, log_vocabulary)``, each ``(K,)``.

        ``log_policy`` is normalised over the list at the trie's branching points; ``log_vocabulary`` is over the whole
        vocabulary: of the complete action with ``full``, else of its tokens down to the last branching point.
        """
        tries = [self.trie(actions, full=full) for actions in lists]
        rows = [self.tokens(p) for p in prompts]
        # Rows of similar length stand together, so that little is spent on padding.
        order = sorted(range(len(rows)), key=lambda row: len(rows[row]) + len(tries[row].tokens))
        policy: dict[int, torch.Tensor] = {}
        vocabulary: dict[int, torch.Tensor] = {}
        for start in range(0, len(order), ROWS):
            part = order[start : start + ROWS]
            batch = pack([rows[row] for row in part], [tries[row] for row in part])
            found = _path_log_probs(self.logits(self.hidden(batch)), batch)
            policy |= dict(zip(part, found[0], strict=True))
            vocabulary |= dict(zip(part, found[1], strict=True))
        return [policy[row] for row in range(len(rows))], [vocabulary[row] for row in range(len(rows))]

    def prompt_states(self, prompts: Sequence[str]) -> torch.Tensor:
        """Return the hidden state ``(n, width)`` at the last token of each prompt."""
        return self.hidden(pack([self.tokens(p) for p in prompts], [build_trie([[0]], full=True)] * len(prompts)))

    def score_texts(self, prompts: Sequence[str], sequences: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """Return, per prompt, float32 logits ``(n_tokens, vocabulary)`` from which each token of its continuation was drawn."""
        batch = pack([self.tokens(p) for p in prompts], [build_trie([sequence], full=True) for sequence in sequences])
        return list(self.logits(self.hidden(batch)).split([len(s) for s in sequences]))

    def write(self, prompts: Sequence[str], temperature: float, seed: int, max_new_tokens: int = 24) -> list[Written]:
        """Write one action per prompt, up to the line end, with the weights being trained (agents go through the language-model seam)."""
        rows = [self.tokens(p) for p in prompts]
        width, pad = max(map(len, rows)), self.tokenizer.eos_token_id or 0
        ids = torch.tensor([[pad] * (width - len(r)) + r for r in rows], device=self.device)
        mask = torch.tensor([[0] * (width - len(r)) + [1] * len(r) for r in rows], device=self.device)
        (end,) = self.tokenizer(ACTION_END, add_special_tokens=False).input_ids[-1:]
        draw: dict[str, Any] = {"do_sample": temperature > 0, "eos_token_id": [end, pad], "pad_token_id": pad, "use_cache": True}
        draw |= {"temperature": temperature, "top_k": 0} if temperature > 0 else {}
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            out = self.model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=max_new_tokens, **draw)
        written = [self._written(row, end) for row in out[:, width:].tolist()]
        self.usage.calls += 1
        self.usage.prompt_tokens += sum(map(len, rows))
        self.usage.new_tokens += sum(len(action.tokens) for action in written)
        return written

    def _written(self, tokens: list[int], end: int) -> Written:
        ended = end in tokens
        kept = tokens[: tokens.index(end) + 1] if ended else tokens
        return Written(self.tokenizer.decode(kept, skip_special_tokens=True).strip(), tuple(kept), ended)


def _path_log_probs(logits: torch.Tensor, batch: PackedBatch) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    device = logits.device
    slot, token = batch.edge_slot.to(device), batch.edge_token.to(device)
    edge = logits[slot, token] - logits.logsumexp(-1)[slot]  # (n_edges,) over the vocabulary
    top = torch.full((len(logits),), -torch.inf, device=device).scatter_reduce(0, slot, edge.detach(), "amax")
    mass = torch.zeros(len(logits), device=device).index_add(0, slot, (edge - top[slot]).exp())
    among = edge - top[slot] - mass.clamp_min(1e-30).log()[slot]  # over the siblings
    action, step = batch.step_action.to(device), batch.step_edge.to(device)
    empty = torch.zeros(sum(batch.counts), device=device)
    policy, vocabulary = (empty.index_add(0, action, value[step]) for value in (among, edge))
    return list(policy.split(batch.counts)), list(vocabulary.split(batch.counts))
