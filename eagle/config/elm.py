"""The section about ELM, the baseline that decodes points of the latent space into texts (arXiv 2310.04475)."""

from __future__ import annotations

from pydantic import Field

from eagle.config.base import Count, Natural, NonNegative, Positive, Section
from eagle.config.training import LoraSettings


class ElmConfig(Section):
    updates: Natural = Field(
        0,
        description="gradient steps of adapter and LoRA together; 0 trains nothing, and there is no method elm "
        "[arXiv 2310.04475: 300,000; O: time]",
    )
    adapter_updates: Natural = Field(
        40, description="gradient steps of the adapter alone, before the others [arXiv 2310.04475: 20,000; O: time]"
    )
    texts: Count = Field(8, description="texts per gradient step [O: memory and time]")
    changes: bool = Field(
        True,
        description="also learn from the environment's cached changes of training anchors, not from catalogue texts "
        "alone [O: the default catalogue has 135 training items with a plot]",
    )
    soft_tokens: Count = Field(4, description="soft tokens that stand for a point [arXiv 2310.04475: 1]")
    hidden: Count = Field(256, description="width of the adapter's hidden layer [O]")
    adapter_learning_rate: Positive = Field(2e-3, description="AdamW, adapter [O]")
    learning_rate: Positive = Field(
        5e-4, description="AdamW, LoRA [O: tens of steps need a larger one than 300,000 do]"
    )
    checkpoint_every: Count = Field(25, description="updates between checkpoints [O]")
    radius: NonNegative = Field(
        2.0,
        description="how far from the anchor's point the best one is sought, in SD of the catalogue along its "
        "principal axes [O]",
    )
    checked: Natural = Field(40, description="validation items with a text that the consistency checks decode [O]")
    lora: LoraSettings = Field(LoraSettings(), description="adapter of the language model")
