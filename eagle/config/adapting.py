"""The section about the environment's own model: how it is adapted to the catalogue."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from eagle.config.base import Count, Natural, Positive, Section
from eagle.config.training import LoraSettings


class EnvironmentConfig(Section):
    adapt: Literal["auto"] | bool = Field(
        "auto",
        description="fine-tune the environment's model on real texts of the domain, and use it where it beats the "
        "plain one on validation items; auto does so where this machine computes in bfloat16 and no endpoint is set "
        "[M: whole first answers .88 instead of .70; in float32 it takes as long as the rest of a run]",
    )
    stories: Count = Field(2400, description="real texts that edits are mined from, drawn at random [O: time]")
    mined: Natural = Field(800, description="mined edits that are learned, at most [M]")
    own: Natural = Field(400, description="the plain model's own good answers that are learned, at most [M]")
    own_drawn: Natural = Field(2400, description="answers drawn for these, two per training item and action [O: time]")
    updates: Count = Field(150, description="gradient steps [M: every edit once or more]")
    edits: Count = Field(8, description="edits per step [M]")
    learning_rate: Positive = Field(0.0004, description="AdamW, falling linearly to zero [M]")
    warmup: Natural = Field(5, description="steps of linear warm-up [O]")
    checkpoint_every: Count = Field(15, description="updates between checkpoints")
    anchors: Count = Field(12, description="validation items on which the two environments are compared [O]")
    changes: Count = Field(30, description="actions that each of these items meets, half of them naming a label [O]")
    lora: LoraSettings = Field(LoraSettings(), description="adapter")
