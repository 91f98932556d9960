"""EAGLE under other conditions, on demand: rows of the paper's Tables 3 and 4 that need texts of their own.

1. Follows the paper's Table 3: an agent that was trained in one environment is tested in another; agent, cases and
   seeds stay.
   Differs: the other environment is another temperature, or another model folder, of one's own choice.
2. Follows Table 4, "macro": the actions that the trained agent chose in an episode, in one call of the environment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from eagle.compute.sharding import ShardCache
from eagle.compute.workers import Workers
from eagle.config import Config, EvaluateConfig, LLMConfig
from eagle.core.project import Project
from eagle.engine.base import LanguageModel
from eagle.engine.open import open_language_model
from eagle.environment.rewrite import Rewriter
from eagle.environment.sharded import REWRITE, ShardedRewriter
from eagle.environment.steering import Case, SteeringEnvironment
from eagle.evaluation.arm import Arm, condition_arms, eagle_arm
from eagle.latent.base import TextEncoder, Utility
from eagle.methods.acting import Actors, LocalAgents, ShardedAgents
from eagle.methods.rollout import roll_out

if TYPE_CHECKING:
    from eagle.environment.steering import Observation

ELSEWHERE = "elsewhere"
"""Kind of question for a worker: rewrite in the other environment."""


def environment_name(llm: LLMConfig) -> str:
    """Return what Table 3 calls an environment."""
    return f"{llm.model}, temperature {llm.temperature:g}"


def elsewhere(llm: LLMConfig, evaluate: EvaluateConfig) -> LLMConfig | None:
    """Return the settings of the other environment, None where none is asked for."""
    engine = "torch" if evaluate.other_model else None  # a folder is here, not at an endpoint
    asked = {"model": evaluate.other_model, "temperature": evaluate.other_temperature, "engine": engine}
    changed = {name: value for name, value in asked.items() if value is not None}
    return llm.model_copy(update=changed) if changed else None


def open_elsewhere(config: Config, project: Project, model: LanguageModel) -> Rewriter:
    """Open the other environment in a worker, over ``model`` (the usual environment's) unless another one is named."""
    there, folder = elsewhere(config.llm, config.evaluate), config.evaluate.other_model
    assert there is not None
    other = open_language_model(there, Path(folder), project.completions) if folder else model
    return Rewriter.open(
        config.model_copy(update={"llm": there}), project, model=other, remember=False, plain=folder is not None
    )


@dataclass(frozen=True)
class OneCall:
    """An agent that takes all actions of a case's episode at once."""

    name: str
    actions: Mapping[int, str]  # by case

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        return [self.actions[observation.case] for observation in observations]


@dataclass(frozen=True)
class OtherConditions:
    """What the further episodes need: the cases, where texts are placed and valued, the workers, and where finished
    parts are kept.
    """

    config: Config
    cases: list[Case]
    encoder: TextEncoder
    utility: Utility
    workers: Workers
    cache: ShardCache

    def run(self, trajectories: pd.DataFrame) -> list[pd.DataFrame]:
        """Return the trajectories of the arms that ``evaluate`` asks for beside the usual ones, in ``trajectories``."""
        return [self._run(arm, trajectories) for arm in condition_arms(self.config)]

    def _run(self, arm: Arm, trajectories: pd.DataFrame) -> pd.DataFrame:
        assert arm.start is not None
        trained = eagle_arm(arm.start, self.config.evaluate.horizon).name
        if arm.kind == "elsewhere":
            writing = ShardedAgents([trained], self.workers, self.cache, self.config.llm.shard_rows)
            rows = self._episodes(writing, ELSEWHERE, arm.budget)
            return rows[rows["arm"] == trained].assign(arm=arm.name)
        taken = trajectories[(trajectories["arm"] == trained) & (trajectories["step"] > 0)]
        together = taken.sort_values(["case", "step"]).groupby("case")["action"].agg(" ".join)
        joined = OneCall(arm.name, dict(zip(together.index.tolist(), together.tolist(), strict=True)))
        rows = self._episodes(LocalAgents([joined]), REWRITE, arm.budget)
        return rows[rows["arm"] == arm.name]

    def _episodes(self, actors: Actors, kind: str, horizon: int) -> pd.DataFrame:
        writer = ShardedRewriter(self.workers, self.config.llm.shard_rows, self.cache, kind)
        environment = SteeringEnvironment(writer, self.encoder, self.utility)
        return roll_out(environment, self.cases, actors, horizon, self.config.seed)[0]
