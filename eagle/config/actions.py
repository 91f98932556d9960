"""The sections about actions: candidates, their cached outcomes, the exploration design."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from eagle.config.base import Count, Fraction, Natural, NonNegative, Positive, Section


class ActionsConfig(Section):
    per_anchor: Count = Field(26, description="K candidate actions per anchor [P: 100; M: 24; O: time on two cores]")
    personalized_share: Fraction = Field(0.5, description="share of candidates made for a taste [P: half]")
    llm_written: Natural = Field(
        2,
        description="of the K, how many the LLM writes for this anchor; the rest come from our seeds [O: the small "
        "model repeats itself]",
    )
    train_anchors: Count = Field(22, description="anchors from training items whose transitions are cached [M]")
    validation_anchors: Natural = Field(3, description="anchors from validation items, for choosing settings [O]")
    temperature: NonNegative = Field(
        0.7, description="sampling temperature of written actions [O: above it the small model drifts]"
    )


class TransitionsConfig(Section):
    samples: Count = Field(1, description="next texts per (state, action) [M: several; O: pooled over anchors instead]")
    second_steps: Natural = Field(
        0, description="per anchor, how many first-step texts are expanded again, each with second_actions actions [M]"
    )
    second_actions: Count = Field(10, description="actions tried from each expanded text [O]")


class PaperSampler(Section):
    """The paper's rejection sampler, for comparison (docs/method.md says why it is ill-posed)."""

    subset: Count = Field(10, description="k actions in the support [P]")
    factor: Positive = Field(1.0, description="C of the acceptance test max norm <= C n [P]")
    supremum: Literal["all", "subset"] = Field(
        "subset", description="over which actions the maximum is taken [P: open]"
    )
    inverse: Literal["exact", "pseudo"] = Field("pseudo", description="how Sigma is inverted [P: open]")
    tries: Count = Field(1000, description="draws before the best subset seen is taken [O]")


class DesignConfig(Section):
    method: Literal["certified", "paper"] = Field(
        "certified", description="solver of the G-optimal design [O: certified]"
    )
    tolerance: Positive = Field(1e-3, description="certificate: max norm <= (1 + tolerance) rank [O]")
    projection: Natural = Field(
        6,
        description="principal directions of the anchor's next-step vectors kept; 0 keeps all [O: K must be well "
        "above n]",
    )
    centre: Literal["none", "anchor"] = Field(
        "none", description="what is taken off the next-step vectors: nothing [P], or the anchor's own vector [O]"
    )
    paper: PaperSampler = Field(PaperSampler(), description="settings of the paper's sampler")
