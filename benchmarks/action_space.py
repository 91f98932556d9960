"""``python -m benchmarks.action_space PROJECT``: what do other lists of actions add to a search with the agent?

Three lists, on the same held-out cases and at equal budgets, one change each:

- ``shared``: the list that all anchors share, as in the evaluation.
- ``written``: only actions that the language model writes for the anchor. No table knows them, so the linear rule has
  nothing to say there; the reference and EAGLE read them for the first time.
- ``pairs``: the shared list and pairs of its actions in one sentence (macro), up to ``--pairs``, drawn at random. The
  linear rule takes a pair's shift to be the sum of both.

Run it on a finished project with ``evaluate.split: validation`` to choose, on ``test`` to report.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path

import pandas as pd

from eagle.actions.candidate_list import CandidateList
from eagle.actions.candidates import requests_for
from eagle.actions.seeds import generic_seeds, personalized_seeds
from eagle.actions.written import write_actions
from eagle.config import Config, load_config
from eagle.core.project import Project
from eagle.core.seeding import derive_seed, stream
from eagle.data.descriptions import Descriptions
from eagle.domains.open import domain_of
from eagle.engine.open import open_language_model
from eagle.environment.rewrite import Rewriter
from eagle.evaluation.budgets import BudgetRun, pick_budget_cases, valued
from eagle.evaluation.cases import HeldOut, cases_of
from eagle.evaluation.scoring import RememberingEncoder
from eagle.evaluation.stage import at_budgets, open_judges
from eagle.latent.text_utility import TextUtility
from eagle.methods.base import Method
from eagle.methods.context import MethodContext
from eagle.methods.proposers import SoftLinearRule, search_eagle, search_random, search_reference, shift_values
from eagle.methods.rules import mean_shifts
from eagle.methods.running import candidate_rows, run_method
from eagle.methods.search import Search
from eagle.profiles.stored import Profiles
from eagle.quality.stored import load_gates
from eagle.serving.searching import agents_over
from eagle.serving.steer import Steerer
from eagle.training.setup import TrainingData, load_training_data

LISTS = ("shared", "written", "pairs")


def main() -> None:
    """Print one table with a row per list, arm, budget and figure, or write it to --out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--lists", nargs="+", choices=LISTS, default=LISTS)
    parser.add_argument("--written", type=int, default=16, help="actions written for each anchor")
    parser.add_argument("--pairs", type=int, default=76, help="pairs beside the shared list")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    project = Project(asked.project)
    space = ActionSpaces(load_config(project.params), project, asked.written, asked.pairs)
    table = pd.concat([space.compared(name).assign(list=name) for name in asked.lists], ignore_index=True)
    if asked.out:
        table.to_csv(asked.out, index=False)
    with pd.option_context("display.width", 160, "display.max_rows", 999):
        print(table.to_string(index=False))


def joined(first: str, second: str) -> str:
    """Return two actions in one sentence."""
    return f"{first.rstrip('.')}, and {second[0].lower()}{second[1:]}"


@dataclass
class ActionSpaces:
    """The comparison over one project's held-out cases, under other lists of actions."""

    config: Config
    project: Project
    written: int
    pairs: int

    def compared(self, name: str) -> pd.DataFrame:
        """Return reports/budget.csv as it would be with this list of actions."""
        candidates = {"shared": self._shared, "written": self._written, "pairs": self._pairs}[name]()
        steerer = replace(self.steerer, agent=replace(self.steerer.agent, candidates=candidates))
        context = MethodContext(
            self.config,
            self.project,
            replace(self.data, candidates=candidates),
            self.held.users,
            agents_over(self.config, self.project, steerer),
        )
        most, cases = self.config.evaluate.budgets.most, cases_of(self.held)
        tables = [
            candidate_rows(m.name, run_method(m, cases, most, self.config.seed, self.writer, self.utility))
            for m in self._methods(name, context)
        ]
        found = valued(pd.concat(tables, ignore_index=True), self.held.cases, self.utility)
        judges = open_judges(self.config, self.project, self.held)
        gates = load_gates(self.project, self.config)
        return at_budgets(self.config, BudgetRun(self.held, found, most), gates, self.utility, judges)

    @cached_property
    def held(self) -> HeldOut:
        return pick_budget_cases(self.config, self.project)

    @cached_property
    def data(self) -> TrainingData:
        return load_training_data(self.config.utility, self.project)

    @cached_property
    def steerer(self) -> Steerer:
        return Steerer.open(self.config, self.project, self.project.agent(self.config.train.arms[0]))

    @cached_property
    def writer(self) -> Rewriter:
        return Rewriter.open(self.config, self.project)

    @cached_property
    def utility(self) -> TextUtility:
        encoder, gates = RememberingEncoder(self.steerer.encoder), load_gates(self.project, self.config)
        return TextUtility(encoder, self.data.utility, gates.broken)

    def _methods(self, name: str, context: MethodContext) -> Iterator[Method]:
        yield search_random(context)
        if name != "written":
            yield Search(self._rule(context.candidates), "search_linear_rule")
        yield search_reference(context)
        yield search_eagle(context)

    def _rule(self, candidates: CandidateList) -> SoftLinearRule:
        shifts = mean_shifts(self.data.steps)
        singles = [action for action in self.data.candidates.shared if action in shifts]
        both = {joined(a, b): shifts[a] + shifts[b] for a, b in combinations(singles, 2)}
        scores = shift_values(shifts | both, self.data.utility)
        return SoftLinearRule(candidates, scores, self.config.evaluate.search.rule_temperature)

    def _shared(self) -> CandidateList:
        return self.data.candidates

    def _pairs(self) -> CandidateList:
        shared = self.data.candidates.shared
        every = [joined(*pair) for pair in combinations(shared, 2)]
        kept = stream(self.config.seed, "pairs of actions").choice(len(every), min(self.pairs, len(every)), False)
        return replace(self.data.candidates, shared=(*shared, *(every[n] for n in sorted(kept))), by_anchor={})

    def _written(self) -> CandidateList:
        anchors = self.held.cases.drop_duplicates("anchor")[["anchor", "text"]].rename(columns={"anchor": "item"})
        domain, shared = domain_of(self.config), self.data.candidates.shared
        profiles = Profiles.load(self.project.profiles).table
        half = self.written // 2
        requests = requests_for(anchors, profiles, (self.written - half, half), domain, len(shared), self.config.seed)
        model = open_language_model(self.config.llm, self.project.llm, self.project.completions)
        genres = sorted(Descriptions.load(self.project.descriptions).genres)
        spare = {"generic": generic_seeds(domain), "personalized": personalized_seeds(genres, domain)}
        seed = derive_seed(self.config.seed, "action space")
        answers, _ = write_actions(model, requests, shared, spare, domain, self.config.actions.temperature, seed)
        by_anchor: dict[str, list[str]] = {}
        for request, (action, _, _) in zip(requests, answers, strict=True):
            by_anchor.setdefault(request.anchor, []).append(action)
        return replace(self.data.candidates, by_anchor={a: tuple(actions) for a, actions in by_anchor.items()})


if __name__ == "__main__":
    main()
