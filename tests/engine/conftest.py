from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from tests.tiny import build_tiny_llm


@pytest.fixture(scope="session")
def tiny_llm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer Llama in transformers' layout."""
    return build_tiny_llm(tmp_path_factory.mktemp("llm") / "tiny")


@pytest.fixture(scope="session")
def adapter(tiny_llm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter for the tiny language model."""
    folder = tmp_path_factory.mktemp("adapter")
    base: Any = AutoModelForCausalLM.from_pretrained(tiny_llm, dtype=torch.float32)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 reads an attribute that transformers 5.23 renames
        torch.manual_seed(1)
        config = LoraConfig(
            r=4, lora_alpha=8, target_modules=["q_proj", "down_proj"], init_lora_weights=False, task_type="CAUSAL_LM"
        )
        get_peft_model(base, config).save_pretrained(folder)
    return folder
