"""The section about texts that are whole."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from eagle.config.base import Section

GateName = Literal[
    "repeated_triple", "repeated_opening", "too_long", "too_short", "unended", "example", "example_name", "copied_item"
]


class QualityConfig(Section):
    percentile: float = Field(
        0.01,
        ge=0,
        lt=1,
        description="share of the catalogue's own texts that may lie beyond each gate; 0 lets all of them pass [O]",
    )
    select: tuple[GateName, ...] = Field(
        tuple(gate for gate in get_args(GateName) if gate != "too_long"),
        description="gates that a text has to pass to be kept while another one passes; all others only count [M: "
        "too_long would break a third of fine texts, since the catalogue's own are cut at describe.max_words]",
    )
    names: tuple[str, ...] = Field(
        (), description="names that no text should take from the prompt, beside those in the domain's examples"
    )
    perplexity: bool = Field(
        False,
        description="also let the base model judge the answers of all arms, by how much they surprise it [O: time]",
    )
