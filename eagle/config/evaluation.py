"""The section about the held-out comparison of all arms."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from eagle.config.base import Count, Fraction, NonNegative, Section
from eagle.config.kinds import JudgeKind, MethodKind


class EvaluateConfig(Section):
    anchors: Count = Field(10, description="held-out anchors [M: 12; O: time]")
    users: Count = Field(10, description="held-out users [M: 16; O: time]")
    horizon: Count = Field(3, description="H of every arm [P: 5; M: 3]")
    temperature: NonNegative = Field(0.5, description="agent's temperature; 0 is greedy [P: 0.5]")
    bootstrap: Count = Field(2000, description="resamples of anchors and users")
    confidence: Fraction = Field(0.95, description="level of the intervals")
    listed_arms: bool = Field(False, description="also run every EAGLE arm restricted to the listed actions [O: time]")
    macro: bool = Field(
        False, description="also apply each EAGLE arm's actions in one environment call [P Table 4; O: time]"
    )
    other_temperature: float | None = Field(
        None,
        ge=0,
        description="also test each EAGLE arm where the environment has this temperature [P Table 3; O: time]",
    )
    other_model: str | None = Field(
        None,
        description="also test each EAGLE arm where this folder (transformers' layout) is the environment's model [P "
        "Table 3; O: time]",
    )
    methods: tuple[MethodKind, ...] = Field(
        (), description="further methods that become arms, as package.module:Name; the built-in ones always are"
    )
    split: Literal["test", "validation"] = Field(
        "test", description="which held-out anchors and users; tune on validation only"
    )
    judges: tuple[JudgeKind, ...] = Field(
        ("panel",), description="who judges texts beside the utility; the panel has to be among them [P: 124 people]"
    )
