"""The sections about training: reference policies, and EAGLE with its phases."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from eagle.config.base import Count, Fraction, Natural, NonNegative, Positive, Section
from eagle.config.kinds import REFERENCES, ReferenceName


class LoraSettings(Section):
    rank: Count = Field(16, description="r [M]")
    alpha: Positive = Field(32.0, description="scale alpha [M]")
    dropout: Fraction = Field(0.0, description="dropout on the adapter [P: 0.1; M: 0]")


class ReferenceConfig(Section):
    names: tuple[ReferenceName, ...] = Field(
        REFERENCES,
        description="which references are trained [P]; g_optimal_seed8 is g_optimal with the random numbers of seed 8",
    )
    updates: Count = Field(18, description="gradient steps [P: 20,000; M: 14]")
    prompts: Count = Field(
        4,
        description="(anchor, user) prompts per step [P: batch 1,024; M: 4; 24 steps of 2 end as near to the target, "
        "but what EAGLE learns from there is worth half]",
    )
    actions: Natural = Field(
        13,
        description="actions of a prompt's target that one step imitates, at most, drawn by their weight; 0 takes all "
        "[O: time; no design of the default has more]",
    )
    learning_rate: Positive = Field(
        1e-3,
        description="AdamW [P: 2e-6 on a 3B model; M: 1e-3 for LoRA; 2e-3 is faster, but leaves a reference with half "
        "the entropy]",
    )
    optimistic_by: Literal["utility", "rating"] = Field("utility", description="what 'best next step' means [P: both]")
    history: Natural = Field(
        0,
        description="used actions named in the prompt, at most; 0 never names any, and repetition is prevented where "
        "the agent acts "
        "[M: with 2, changes after the first gained nothing]",
    )
    single_cell_weight: Fraction = Field(
        0.12, description="optimistic: weight of one (anchor, action) cell against the pooled estimate [M]"
    )
    lora: LoraSettings = Field(LoraSettings(), description="adapter")


class AllActionPhase(Section):
    """Policy gradient in expectation over the K candidates of cached states: no sampling, no generation."""

    kind: Literal["all_action"] = "all_action"
    objective: Literal["gradient", "closed_form"] = Field(
        "closed_form",
        description="gradient of E[Q] - alpha KL, or cross-entropy to its maximiser pi_ref exp(Q / alpha) / Z "
        "[M: the first ranks second and third choices worse on validation pairs, and with seed 7 it takes one action "
        "for everybody]",
    )
    draws: Count = Field(
        1,
        description="N, how often the agent will be asked: with more than 1 it is trained for E[max of N draws], the "
        "spread of U within an action included, instead of E[U] [P: 1; M: the goals of 8 are worse sets on validation "
        "pairs than those of 1]",
    )
    updates: Natural = Field(
        80, description="gradient steps [M: 60; 110 gain 4% more on validation pairs, 80 within the noise]"
    )
    pairs: Count = Field(10, description="(state, user) pairs per step [M: 16; O: time]")
    pool: Count = Field(
        400,
        description="pairs drawn once, from which every step takes its own; the reference scores each of them once "
        "[O: a third of the time of a step]",
    )
    learning_rate: Positive = Field(6e-4, description="AdamW, after the warm-up [M]")
    warmup: Natural = Field(5, description="steps of linear warm-up [M]")
    decay: Literal["linear", "none"] = Field(
        "linear",
        description="the learning rate falls to zero by the last step, or stays [M: with none the gain went up and "
        "down by a third between steps 40 and 60]",
    )
    advantage_scale: Positive = Field(0.1, description="advantages (in SD of U) are divided by this [M]")
    listed_mass: NonNegative = Field(0.5, description="weight of -log(probability mass on listed actions) [M]")
    repair_every: Natural = Field(
        10,
        description="every so many steps one step of full-vocabulary cross-entropy to the policy's own distribution; "
        "0 never [M: keeps free text valid]",
    )
    single_cell_weight: Fraction = Field(
        0.12, description="weight of one (anchor, action) cell against the pooled estimate [M]"
    )
    taste: Literal["profile", "user"] = Field(
        "profile",
        description="whose taste values an action: E[z_u | profile], all that the policy is told, or the user's own "
        "z_u [P] [M: validation pairs]",
    )
    lookahead: Count = Field(
        1,
        description="changes planned ahead in the latent space for an action's value, up to 3; 1 is the one-step "
        "value [M: planned ones tell users apart half as much]",
    )
    contrast_updates: Natural = Field(
        20,
        description="first updates that take off an action's mean advantage over all users of the batch; 0 never [M: "
        "on a planted problem with one action that all like, 3 seeds, gain .40 instead of .27 to .35]",
    )


class OnPolicyPhase(Section):
    """Free-text rollouts in the environment: the paper's REINFORCE with value baseline and GAE."""

    kind: Literal["on_policy"] = "on_policy"
    updates: Natural = Field(0, description="gradient steps [P: 30,000]")
    episodes: Count = Field(16, description="episodes per step")
    rollouts_per_pair: Count = Field(4, description="episodes that share their (anchor, user)")
    learning_rate: Positive = Field(1e-4, description="policy [P: 1e-5 on a 3B model]")
    value_learning_rate: Positive = Field(1e-3, description="value head [P: 5e-6]")
    warmup: Natural = Field(2, description="steps of linear warm-up")
    baseline: Literal["value", "leave_one_out"] = Field(
        "value", description="what the return is compared with [P: value]"
    )
    gae_lambda: Fraction = Field(0.95, description="lambda of GAE [P leaves it open]")
    advantage_scale: Positive = Field(1.0, description="advantages are divided by this")
    epsilon: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0,
        description="probability of an action drawn from the list instead of the policy's own [P: 0; arXiv 2405.19883]",
    )
    epsilon_decay: Literal["linear", "none"] = Field(
        "linear", description="epsilon falls to 0 by the last update, or stays"
    )
    explore: Literal["design", "uniform"] = Field(
        "design", description="how these actions are drawn: by the anchor's G-optimal design, or evenly"
    )
    max_failures: Fraction = Field(
        0.5, description="share of failed episodes at which training stops with an error [O]"
    )


class SelectionPhase(Section):
    """Rounds of search with the policy, each learned from: E[max of N draws] in the environment, leave-one-out."""

    kind: Literal["selection"] = "selection"
    updates: Natural = Field(0, description="gradient steps, a round of search each [P: 0]")
    pairs: Count = Field(8, description="(anchor, user) pairs per step")
    draws: Annotated[int, Field(ge=2)] = Field(8, description="N, texts that are written for each pair, the best kept")
    learning_rate: Positive = Field(3e-4, description="AdamW, after the warm-up")
    warmup: Natural = Field(2, description="steps of linear warm-up")
    advantage_scale: Positive = Field(0.1, description="what a draw adds to its set (in SD of U) is divided by this")
    listed_mass: NonNegative = Field(0.5, description="weight of -log(probability mass on listed actions)")


Phase = Annotated[AllActionPhase | OnPolicyPhase | SelectionPhase, Field(discriminator="kind")]


class TrainConfig(Section):
    arms: tuple[ReferenceName, ...] = Field(
        ("g_optimal",),
        description="references that EAGLE starts from, one arm each; those that differ from the first in their seed "
        "alone are also reported as their mean",
    )
    phases: tuple[Phase, ...] = Field((AllActionPhase(),), description="run in this order")
    horizon: Count = Field(3, description="H, changes per episode [P: 5; M: 3 with a small model]")
    gamma: Fraction = Field(1.0, description="discount [P: 1]")
    reward: Literal["end", "step"] = Field(
        "step",
        description="U(x_H) at the end, or U(x_t+1) - U(x_t) at each step: the same objective at gamma 1 [P: end; M: "
        "step]",
    )
    repeat_actions: bool = Field(False, description="may an episode use one action twice [P: yes; M: no]")
    kl_coefficient: NonNegative = Field(
        0.04,
        description="alpha, weight of KL(policy || reference), with advantages in SD of U [P: 0.1; M: sharper goals "
        "for closed_form]",
    )
    temperature: Positive = Field(0.5, description="agent's temperature in rollouts [P: 0.5]")
    checkpoint_every: Count = Field(30, description="updates between checkpoints")
    processes: Count = Field(
        1,
        description="processes that share each update, a GPU each where there are some; sums are rounded differently "
        "[O: one device]",
    )
    lora: LoraSettings = Field(LoraSettings(), description="adapter")
