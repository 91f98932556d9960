"""A frozen language model under a LoRA adapter that can be trained, from token ids to log-probabilities and texts.

What an agent, the environment and ELM train alike; :mod:`eagle.policies.lora` is the policy over it. peft and
transformers open and save it; what they compute, :mod:`eagle.policies.lora_llama` computes faster where it can.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from peft import LoraConfig, PeftModel, get_peft_model, load_peft_weights, set_peft_model_state_dict
from transformers import AutoModelForCausalLM, AutoTokenizer

from eagle.core import costs
from eagle.core.artifacts import content_hash
from eagle.core.errors import user_error
from eagle.engine.base import SamplingSpec, Usage
from eagle.engine.folders import check_adapter_folder
from eagle.engine.torch.decoding import DecodeLoop, Ends, Network
from eagle.engine.torch.rows import DecodingRow
from eagle.engine.torch.shared_prefix import TransformersNetwork
from eagle.engine.torch.soft_tokens import read_as
from eagle.policies.adapters import ADAPTER_NOTE, check_base
from eagle.policies.lora_llama import LoraLlama, is_plain_lora
from eagle.policies.trie import PackedBatch, Trie, build_trie, pack
from eagle.policies.vocabulary import Head, spoken

if TYPE_CHECKING:
    from eagle.config import LoraSettings

#: Rows written together.
ROWS = 64
_TRAINED, _REFERENCE = "default", "reference"


class LoraModel:
    """Scores and writes token ids with the active adapter; trainable, savable as a peft folder."""

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
    ) -> Self:
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
    ) -> Self:
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

    # reading -------------------------------------------------------------------------------------------------
    def packed(self, prompts: Sequence[Sequence[int]], tries: Sequence[Trie]) -> PackedBatch:
        """Lay out prompts and what follows each for one pass, on the model's device."""
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

    def score_lines(
        self, prompts: Sequence[Sequence[int]], lines: Sequence[Sequence[int]], soft: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return log-probabilities (n_tokens,) of all tokens of ``lines``, one after each prompt; both are token ids.

        ``soft``: see :meth:`hidden`.
        """
        batch = self.packed(prompts, [build_trie([line], full=True) for line in lines])
        return spoken(self.hidden(batch, soft), self.head, batch.edge_slot, batch.edge_token).log_probs

    # writing -------------------------------------------------------------------------------------------------
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
