"""EAGLE under other conditions, on demand: rows of the paper's Tables 3 and 4 that need texts of their own.

1. Follows the paper's Table 3: an agent that was trained in one environment is tested in another; agent, cases and seeds stay.
   Differs: the other environment is another temperature, or another model folder, of one's own choice.
2. Follows Table 4, "macro": the actions that the trained agent chose in an episode, in one call of the environment (H = 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from eagle.config import Config, EvaluateConfig, LLMConfig
from eagle.environment import Case, SteeringEnvironment, TextEncoder
from eagle.evaluation.rollout import roll_out
from eagle.evaluation.shards import ShardedRewriter, Shards
from eagle.llm.open import open_language_model
from eagle.llm.rewrite import Rewriter
from eagle.project import Project
from eagle.utility import Utility

if TYPE_CHECKING:
    from eagle.environment import Observation
    from eagle.policies.base import Agent

ELSEWHERE, MACRO = "elsewhere_", "macro_"
"""Beginnings of the arms' names; what follows is the name of the EAGLE arm."""


def environment_name(llm: LLMConfig) -> str:
    """Return what Table 3 calls an environment."""
    return f"{llm.model}, temperature {llm.temperature:g}"


def elsewhere(llm: LLMConfig, evaluate: EvaluateConfig) -> LLMConfig | None:
    """Return the settings of the other environment, None where none is asked for."""
    engine = "torch" if evaluate.other_model else None  # a folder is here, not at an endpoint
    asked = {"model": evaluate.other_model, "temperature": evaluate.other_temperature, "engine": engine}
    changed = {name: value for name, value in asked.items() if value is not None}
    return llm.model_copy(update=changed) if changed else None


@dataclass(frozen=True)
class OneCall:
    """An agent that takes all actions of a case's episode at once."""

    name: str
    actions: Mapping[int, str]  # by case

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        return [self.actions[observation.case] for observation in observations]


@dataclass(frozen=True)
class OtherConditions:
    """What the further episodes need: the cases, where texts are placed and valued, and where finished parts are kept."""

    config: Config
    project: Project
    cases: list[Case]
    encoder: TextEncoder
    utility: Utility
    shards: Shards

    def run(self, agents: Mapping[str, Agent], trajectories: pd.DataFrame) -> list[pd.DataFrame]:
        """Return the trajectories of the arms that ``evaluate`` asks for beside the usual ones; ``agents``: EAGLE's by arm."""
        found = []
        for arm, agent in agents.items():
            there = elsewhere(self.config.llm, self.config.evaluate)
            if there:
                rows = self._episodes(agent, there, self.config.evaluate.horizon)
                found.append(rows[rows["arm"] == agent.name].assign(arm=f"{ELSEWHERE}{arm}"))
            if self.config.evaluate.macro:
                taken = trajectories[(trajectories["arm"] == agent.name) & (trajectories["step"] > 0)].sort_values(["case", "step"])
                together = taken.groupby("case")["action"].agg(" ".join)
                joined = OneCall(f"{MACRO}{arm}", dict(zip(together.index.tolist(), together.tolist(), strict=True)))
                rows = self._episodes(joined, self.config.llm, 1)
                found.append(rows[rows["arm"] == joined.name])
        return found

    def _episodes(self, agent: Agent, llm: LLMConfig, horizon: int) -> pd.DataFrame:
        other = self.config.evaluate.other_model if llm is not self.config.llm else None
        model = open_language_model(llm, Path(other) if other else self.project.llm, self.project.completions)
        shards = replace(self.shards, surroundings=f"{self.shards.surroundings} {model.fingerprint} {llm.decisive()}")
        rewriter = Rewriter.open(self.config.model_copy(update={"llm": llm}), self.project, model=model)
        environment = SteeringEnvironment(ShardedRewriter(rewriter, shards), self.encoder, self.utility, horizon, self.config.seed)
        rows, _ = roll_out(environment, self.cases, [agent], horizon, self.config.seed, shards)
        return rows
