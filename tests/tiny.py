"""Tiny real models, built in memory: random weights, real fast tokenizers, saved in transformers' layout.

Deterministic.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eagle.engine.offline import stay_offline

stay_offline()

_TEXT = (
    "Genres: crime, comedy, drama, horror, romance, action, sci-fi, western, war, musical, animation, thriller. Plot: "
    "A retired thief takes one last job in Paris. The young woman falls in love with a robot. A family moves to an "
    "old house and finds a ghost in the cellar. Two soldiers walk home after the war. Make the hero a robot. Set it "
    "in space. Add a love story. Turn it into a horror film. User likes drama, comedy. Dislikes war, horror. Action: "
    "Movie: Rewrite the film so that Change: <|im_start|>user assistant system You are a writer. Keep one line. It "
    "ends well, and the crew of the ship must save the city. "
)
_WORDS = _TEXT.split(" ")
CORPUS = tuple(" ".join(_WORDS[start:] + _WORDS[:start]) for start in range(0, len(_WORDS), 7))
CHAT_TEMPLATE = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + "
    "'\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def chat_tokenizer(lines: Sequence[str], vocab_size: int, split: Any = None) -> Any:
    """Return a byte-level BPE tokenizer taught on ``lines``, with chat template; ``split``: what a token may span (a
    word).
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = split or pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        unk_token="<|endoftext|>",
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def build_tiny_llm(folder: Path, *, seed: int = 0, vocab_size: int = 400) -> Path:
    """Write a random 2-layer Llama (d 32, 4 heads, 2 key-value heads) with its tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    fast = chat_tokenizer(CORPUS, vocab_size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(fast),
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=2,
                max_position_embeddings=2048,
                tie_word_embeddings=True,
                initializer_range=0.15,
                bos_token_id=1,
                eos_token_id=2,
                pad_token_id=2,
            )
        )
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return Path(folder)


def build_tiny_adapter(folder: Path, base: Path) -> Path:
    """Write a random adapter for the language model in ``base``."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 reads an attribute that transformers 5.23 renames
        torch.manual_seed(1)
        config = LoraConfig(
            r=4, lora_alpha=8, target_modules=["q_proj", "down_proj"], init_lora_weights=False, task_type="CAUSAL_LM"
        )
        get_peft_model(model, config).save_pretrained(folder)
    return Path(folder)


def build_tiny_text_encoder(folder: Path, *, seed: int = 0) -> Path:
    """Write a random 2-layer BERT (d 32) with a word-piece tokenizer in sentence-transformers' layout (mean pooling,
    normalised).
    """
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pieces = BertWordPieceTokenizer(lowercase=True)
    pieces.train_from_iterator(CORPUS, vocab_size=400, min_frequency=1, show_progress=False)
    pieces.save_model(str(folder))
    tokenizer = BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BertModel(
            BertConfig(
                vocab_size=len(tokenizer),
                hidden_size=32,
                num_hidden_layers=2,
                num_attention_heads=4,
                intermediate_size=64,
                max_position_embeddings=128,
                initializer_range=0.15,
            )
        )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _write_sentence_layout(folder)
    return folder


def _write_sentence_layout(folder: Path) -> None:
    kinds = ("Transformer", "Pooling", "Normalize")
    paths = ("", "1_Pooling", "2_Normalize")
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(zip(kinds, paths, strict=True))
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 96, "do_lower_case": False}))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling/config.json").write_text(
        json.dumps({"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True})
    )
