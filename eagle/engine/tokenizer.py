"""What the engines ask of transformers' tokenizer of a model folder: chats as prompts, texts as token ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def rendered(tokenizer: Any, messages: Sequence[tuple[str, str]], prefill: str) -> str:
    """Render (role, content) turns with the model's own chat template; ``prefill`` opens the assistant's turn."""
    turns = [{"role": role, "content": content} for role, content in messages]
    text: str = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    return text + prefill


def tokenized(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Return each text's token ids without added special tokens (the chat template writes its own)."""
    if not texts:
        return []
    ids: list[list[int]] = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    return ids
