"""The section about the held-out comparison of all arms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from eagle.config.base import Count, Fraction, Natural, NonNegative, Section
from eagle.config.kinds import JudgeKind, MethodKind


class SearchConfig(Section):
    budget: Count = Field(8, description="texts of the environment that a search may ask for one case [M: a prototype]")
    steps: Count = Field(
        2,
        description="changes of a search at most; its budget is divided over them [M: on validation cases EAGLE's 8 "
        "texts gain .08 [.03, .15] SD more in 2 changes than in 1, .06 [-.00, .13] more in 3]",
    )
    beam: Count = Field(1, description="texts that a search goes on from in each step")
    temperature: NonNegative = Field(
        1.0,
        description="temperature of a language model's draws in a search; they are spread wider than a single one's",
    )
    rule_temperature: NonNegative = Field(
        0.2, description="temperature of the linear rule's draws in a search, over its scores in SD of U [M]"
    )
    epsilon: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0,
        description="probability of an action drawn from the list instead of the language model's own in a search "
        "[O: off; arXiv 2405.19883]",
    )
    epsilon_decay: Fraction = Field(1.0, description="factor on that probability for each change made before")
    explore: Literal["design", "uniform"] = Field(
        "design", description="how these actions are drawn: by the training anchors' mean G-optimal design, or evenly"
    )


class BudgetsConfig(Section):
    most: Natural = Field(
        8, description="largest budget of the comparison at equal budgets 1, 2, 4 and so on; 0 leaves it out [O: time]"
    )
    anchors: Natural = Field(0, description="held-out anchors of that comparison; 0 takes those of the main table")
    users: Natural = Field(40, description="held-out users of that comparison; 0 takes all of the split [O: time]")
    methods: tuple[MethodKind, ...] = Field(
        ("search_random", "search_linear_rule", "search_softmax_policy", "search_reference", "search_eagle"),
        description="methods that are compared at equal budgets",
    )


class EvaluateConfig(Section):
    anchors: Count = Field(10, description="held-out anchors [M: 12; O: time]")
    users: Count = Field(8, description="held-out users [M: 16; O: time]")
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
        ("search_random", "search_linear_rule", "search_eagle"),
        description="methods that become arms beside the usual ones, with search.budget texts for each case; "
        "package.module:Name for one's own",
    )
    search: SearchConfig = Field(SearchConfig(), description="asking more than once")
    budgets: BudgetsConfig = Field(BudgetsConfig(), description="comparison at equal budgets, one change")
    split: Literal["test", "validation"] = Field(
        "test", description="which held-out anchors and users; tune on validation only"
    )
    judges: tuple[JudgeKind, ...] = Field(
        ("panel", "hidden_shelf"),
        description="who judges texts beside the utility; the panel has to be among them [P: 124 people]",
    )
