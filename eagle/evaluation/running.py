"""All arms of the comparison, opened on a project's files and run side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from eagle.built_in.methods import RULES
from eagle.compute.sharding import ShardCache, open_workers
from eagle.compute.workers import Answerer, Workers
from eagle.config import Config
from eagle.core.project import Project
from eagle.domains.open import domain_of
from eagle.engine.open import open_language_model
from eagle.environment.rewrite import Rewriter
from eagle.environment.sharded import ShardedRewriter, environment_identity, rewritten
from eagle.environment.steering import SteeringEnvironment, Writer
from eagle.evaluation.arm import LINEAR, LINEAR_ONCE, Arm, arms_of, policy_arms, proposer_arms
from eagle.evaluation.budgets import BudgetRun, pick_budget_cases, run_budgets
from eagle.evaluation.cases import HeldOut, cases_of
from eagle.evaluation.conditions import ELSEWHERE, OtherConditions, open_elsewhere
from eagle.evaluation.method_arms import MethodArms, PolicyArms
from eagle.latent.base import TextEncoder
from eagle.latent.text_utility import TextUtility
from eagle.methods.acting import ACT, AgentGroups, LocalAgents, ShardedAgents, acted
from eagle.methods.agent_method import AgentMethod
from eagle.methods.context import MethodContext
from eagle.methods.open import open_method
from eagle.methods.rollout import roll_out, stopped_early
from eagle.policies.agents import LoraAgent
from eagle.policies.trie_scorers import TrieScorers
from eagle.quality.gates import TextGates
from eagle.quality.stored import load_gates
from eagle.training.setup import TrainingData, load_training_data

if TYPE_CHECKING:
    from eagle.policies.base import Agent


def adapter_of(arm: Arm, project: Project) -> Path:
    """Return the adapter folder of an arm in which a language model acts."""
    assert arm.start is not None
    return project.reference(arm.start) if arm.kind == "reference" else project.agent(arm.start)


@dataclass(frozen=True)
class OpenArms:
    """Opens in a worker what generates: the environment and the agents that write. Questions are those of both."""

    config: Config
    project: Project

    def __call__(self) -> Answerer:
        config, project = self.config, self.project
        material, model = (
            load_training_data(config.utility, project),
            open_language_model(config.llm, project.llm, project.completions),
        )
        writer = Rewriter.open(config, project, model=model, remember=False)
        scorers = TrieScorers(config, project.llm)
        agents: dict[str, Agent] = {
            arm.name: LoraAgent(
                name=arm.name,
                model=model,
                adapter=adapter_of(arm, project),
                candidates=material.candidates,
                profiles=material.profiles,
                scorer=scorers.of(adapter_of(arm, project)),
                temperature=temperature,
                repeat=config.train.repeat_actions,
                history=config.reference.history,
                mode=arm.mode,
            )
            for arms, temperature in (
                (policy_arms(config), config.evaluate.temperature),
                (proposer_arms(config), config.evaluate.search.temperature),
            )
            for arm in arms
        }
        there = cache(lambda: open_elsewhere(config, project, model))

        def answer(question: Sequence[Any]) -> list[Any]:
            if question[0] == ACT:
                return acted(agents, question)
            return rewritten(there() if question[0] == ELSEWHERE else writer, question[1])

        return answer


def rule_agents(context: MethodContext) -> list[Agent]:
    """Return the agents of the built-in methods, which act side by side with the language models."""
    return [method.agent for kind in RULES if isinstance(method := open_method(kind, context), AgentMethod)]


@dataclass(frozen=True)
class ArmsRun:
    """What came of a run of all arms."""

    arms: tuple[Arm, ...]
    trajectories: pd.DataFrame
    """Of all arms, anchor first."""
    counts: dict[str, Counter[str]]
    """What the writing agents counted, by arm."""
    considered: pd.DataFrame | None
    """All candidates of the methods that ``evaluate.methods`` adds."""
    budgets: BudgetRun | None
    """The comparison at equal budgets, where there is one."""


@dataclass(frozen=True)
class Arms:
    """Everything that a run of all arms needs.

    What writes texts is on workers and its answers are kept; all else is here.
    """

    config: Config
    project: Project
    held: HeldOut
    material: TrainingData
    encoder: TextEncoder
    gates: TextGates
    cache: ShardCache

    @classmethod
    def open(
        cls, config: Config, project: Project, held: HeldOut, hashes: dict[str, str], encoder: TextEncoder
    ) -> Arms:
        """Read what the arms share; ``hashes`` are those of everything that decides what they answer."""
        sections = [
            getattr(config, name).decisive() for name in ("evaluate", "train", "reference", "utility", "quality")
        ]
        identity = environment_identity(config.llm, domain_of(config), project, __name__)
        decisive = [sorted(hashes.items()), config.seed, identity, *sections]
        shard_cache = ShardCache(project.unfinished("evaluate"), decisive)
        material, gates = load_training_data(config.utility, project), load_gates(project, config)
        return cls(config, project, held, material, encoder, gates, shard_cache)

    def run(self, played: Callable[[pd.DataFrame], None]) -> ArmsRun:
        """Run all arms; ``played`` is called with the trajectories of some of them as soon as they are written."""
        config, settings, rows = self.config, self.config.evaluate, self.config.llm.shard_rows
        cases = cases_of(self.held)
        with open_workers(config.llm, OpenArms(config, self.project.resolved())) as workers:
            context = self._context(workers)
            simple, further = LocalAgents(rule_agents(context)), MethodArms.open(config, context)
            writing = ShardedAgents([arm.name for arm in policy_arms(config)], workers, self.cache, rows)
            writer = ShardedRewriter(workers, rows, self.cache)
            environment = SteeringEnvironment(writer, self.encoder, self.material.utility)
            table, counts = roll_out(environment, cases, AgentGroups([simple, writing]), settings.horizon, config.seed)
            played(table)
            others = OtherConditions(config, cases, self.encoder, self.material.utility, workers, self.cache).run(table)
            added, considered = further.run(cases, writer, self.text_utility)
            for rows_of_arm in (*others, *added):
                played(rows_of_arm)
            budgets = self._at_budgets(context, writer)
        once = stopped_early(table, LINEAR, LINEAR_ONCE, 1)
        place = list(table["arm"]).index(LINEAR)
        rows_of_all = pd.concat([table[:place], once, table[place:], *others, *added], ignore_index=True)
        candidates = pd.concat(considered, ignore_index=True) if considered else None
        return ArmsRun(arms_of(config, further.arms), rows_of_all, counts, candidates, budgets)

    @property
    def text_utility(self) -> TextUtility:
        """U of texts, and which of them may be kept."""
        return TextUtility(self.encoder, self.material.utility, self.gates.broken)

    def _at_budgets(self, context: MethodContext, writer: Writer) -> BudgetRun | None:
        if not self.config.evaluate.budgets.most:
            return None
        held = pick_budget_cases(self.config, self.project)
        return run_budgets(self.config, held, context, writer, self.text_utility)

    def _context(self, workers: Workers) -> MethodContext:
        policies = PolicyArms(self.config, workers, self.cache)
        return MethodContext(self.config, self.project, self.material, self.held.users, policies)

    def finish(self) -> None:
        """Forget unfinished work: the tables are written."""
        self.cache.clear()
