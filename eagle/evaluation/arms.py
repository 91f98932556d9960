"""All arms of the comparison, opened on a project's files and run side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from eagle.baselines.open import fit_softmax_policy
from eagle.baselines.rules import LinearRule, RandomActions, mean_shifts
from eagle.config import Config
from eagle.environment import Case, SteeringEnvironment, TextEncoder
from eagle.evaluation.cases import HeldOut
from eagle.evaluation.comparison import LINEAR
from eagle.evaluation.conditions import OtherConditions
from eagle.evaluation.oracle import FixedBest
from eagle.evaluation.rollout import roll_out, stopped_early
from eagle.evaluation.shards import ShardedRewriter, Shards
from eagle.llm.open import open_language_model
from eagle.llm.rewrite import Rewriter
from eagle.policies.agents import LoraAgent
from eagle.policies.lora import LoraPolicy
from eagle.project import Project
from eagle.torch_device import pick_device, pick_dtype
from eagle.training.setup import Material, load_material
from eagle.training.steps import CachedSteps

if TYPE_CHECKING:
    from eagle.llm.base import LanguageModel
    from eagle.policies.base import Agent

SCORED_TOGETHER = 16  # prompts; bounds memory


@dataclass
class TrieScorer:
    """Scores listed actions through the trie of an adapter; opens the policy when first asked."""

    config: Config
    base: Path
    adapter: Path
    _policy: LoraPolicy | None = None

    def __call__(self, prompts: Sequence[str], lists: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return log pi over each list, (K,) per prompt."""
        import torch

        if self._policy is None:
            device = pick_device(self.config.llm.device)
            dtype = pick_dtype(self.config.llm.dtype, device)
            self._policy = LoraPolicy.load(self.base, self.adapter, dtype=dtype, device=device)
        found: list[np.ndarray] = []
        with torch.no_grad():
            for start in range(0, len(prompts), SCORED_TOGETHER):
                part = slice(start, start + SCORED_TOGETHER)
                found += [row.double().cpu().numpy() for row in self._policy.score_lists(prompts[part], lists[part])[0]]
        return found


def language_agents(config: Config, project: Project, material: Material, model: LanguageModel) -> list[Agent]:
    """Return references and EAGLE arms that write freely, and on demand each EAGLE arm restricted to the list."""

    def agent(name: str, adapter: Path, mode: str = "free") -> LoraAgent:
        return LoraAgent(
            name=name,
            model=model,
            adapter=adapter,
            listed=material.listed,
            profiles=material.profiles,
            scorer=TrieScorer(config, project.llm, adapter),
            temperature=config.evaluate.temperature,
            repeat=config.train.repeat_actions,
            history=config.reference.history,
            mode=mode,
        )

    found = [agent(f"reference_{name}", project.reference(name)) for name in config.reference.names]
    for arm in config.train.arms:
        found.append(agent(f"eagle_{arm}", project.agent(arm)))
        if config.evaluate.listed_arms:
            found.append(agent(f"eagle_{arm}_listed", project.agent(arm), "listed"))
    return list(found)


def simple_agents(config: Config, project: Project, material: Material, users: Sequence[str]) -> list[Agent]:
    """Return random actions, the linear rule, the softmax policy and the user's best fixed actions."""
    repeat = config.train.repeat_actions
    return [
        RandomActions(material.listed, repeat),
        LinearRule(material.listed, mean_shifts(material.steps), material.user_vector, repeat, LINEAR),
        fit_softmax_policy(material, project, repeat=repeat),
        FixedBest.fit(CachedSteps.load(project), material.utility, material.listed, users),
    ]


@dataclass(frozen=True)
class Arms:
    """Everything that a run of all arms needs."""

    config: Config
    material: Material
    agents: list[Agent]
    environment: SteeringEnvironment
    cases: list[Case]
    shards: Shards
    others: OtherConditions

    @classmethod
    def open(cls, config: Config, project: Project, held: HeldOut, hashes: dict[str, str], encoder: TextEncoder) -> Arms:
        """Open models, agents and environment; ``hashes`` are those of everything that decides what they answer."""
        material = load_material(config.utility, project)
        model = open_language_model(config.llm, project.llm, project.completions)
        sections = (getattr(config, name).model_dump_json() for name in ("evaluate", "train", "utility"))
        surroundings = [sorted(hashes.items()), config.llm.decisive(), *sections]
        shards = Shards(project.checkpoints / "evaluate", str([model.fingerprint, config.seed, *surroundings]))
        writer = ShardedRewriter(Rewriter.open(config, project, model=model), shards)
        agents = simple_agents(config, project, material, held.users) + language_agents(config, project, material, model)
        environment = SteeringEnvironment(writer, encoder, material.utility, config.evaluate.horizon, config.seed)
        cases = _cases(held)
        others = OtherConditions(config, project, cases, encoder, material.utility, shards)
        return cls(config, material, agents, environment, cases, shards, others)

    def run(self) -> tuple[pd.DataFrame, dict[str, Counter[str]]]:
        """Return the trajectories of all arms, anchor first, and what the writing agents counted."""
        horizon = self.config.evaluate.horizon
        rows, counts = roll_out(self.environment, self.cases, self.agents, horizon, self.config.seed, self.shards)
        once = stopped_early(rows, LINEAR, f"{LINEAR}_once", 1)
        place = list(rows["arm"]).index(LINEAR)
        by_name = {agent.name: agent for agent in self.agents}
        others = self.others.run({arm: by_name[f"eagle_{arm}"] for arm in self.config.train.arms}, rows)
        return pd.concat([rows[:place], once, rows[place:], *others], ignore_index=True), counts

    def finish(self) -> None:
        """Forget unfinished work: the tables are written."""
        self.shards.clear()


def _cases(held: HeldOut) -> list[Case]:
    return [Case(*row) for row in held.cases[["case", "anchor", "user", "text", "year"]].itertuples(index=False, name=None)]
