"""Search for single people and items: an agent, or any method of the comparison, asked for several texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd

from eagle.config import Config, load_config
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.core.seeding import derive_seed
from eagle.evaluation.arm import policy_arms, proposer_arms
from eagle.evaluation.running import adapter_of
from eagle.evaluation.scoring import RememberingEncoder, score
from eagle.evaluation.searches import SEARCH_EAGLE
from eagle.latent.text_utility import TextUtility
from eagle.methods.base import Method
from eagle.methods.context import MethodContext
from eagle.methods.open import open_method
from eagle.methods.proposers import exploring
from eagle.methods.running import run_method, trajectory_rows
from eagle.methods.search import Search
from eagle.policies.agents import ActionCounts, LoraAgent
from eagle.policies.base import Agent
from eagle.policies.trie_scorers import TrieScorers
from eagle.serving.steer import Steerer
from eagle.serving.trajectories import ServedTrajectory
from eagle.serving.turns import AgentInTurn, EncoderInTurn, WriterInTurn
from eagle.training.setup import load_training_data


@dataclass(frozen=True)
class Searcher:
    """Searches with a method over what a steerer has open."""

    steerer: Steerer
    method: Method

    def search(self, pairs: Sequence[tuple[str, str]], *, budget: int, seed: int) -> list[ServedTrajectory]:
        """Return one trajectory per (user, item), which ends at the best eligible of ``budget`` texts.

        With the evaluation's cases and seed, these are the evaluation's texts. Where no text is eligible the trajectory
        has its start alone, and its remark says so. Raises EagleError for unknown ids and a budget below 1.
        """
        if budget < 1:
            raise user_error("the budget is no number of texts", found=budget, expected="at least 1")
        if not pairs:
            return []  # tables without a row have no columns to work with
        steerer, cases = self.steerer, self.steerer.cases(pairs)
        encoder = RememberingEncoder(EncoderInTurn(steerer.encoder, steerer.turns))
        broken = steerer.gates.fresh().broken if steerer.gates else None
        utility = TextUtility(encoder, steerer.utility, broken)
        writer = WriterInTurn(steerer.writer, steerer.turns)
        found = run_method(self.method, cases, budget, seed, writer, utility)
        rows = trajectory_rows(self.method.name, found)
        scored = score(
            rows, pd.DataFrame([asdict(case) for case in cases]).astype({"year": object}), encoder, utility.utility
        )
        trajectories = [
            steerer.trajectory(mine.sort_values("step"), 0) for _, mine in scored.groupby("case", sort=True)
        ]
        return [
            one if way.accepted else replace(one, remark=f"none of {budget} texts is whole and new enough")
            for one, way in zip(trajectories, found, strict=True)
        ]

    def samples(self, user: str, item: str, *, budget: int, samples: int, seed: int) -> list[ServedTrajectory]:
        """Return ``samples`` searches for one user and item; the first has ``seed`` itself."""
        seeds = [derive_seed(seed, "sample", n) if n else seed for n in range(samples)]
        found = [self.search([(user, item)], budget=budget, seed=own)[0] for own in seeds]
        return [replace(one, sample=n) for n, one in enumerate(found)]


def own_search(config: Config, project: Project, steerer: Steerer) -> Searcher:
    """Return the search that asks the steerer's agent, with the files of ``project``, which may be a packed agent."""
    settings = config.evaluate.search
    own = replace(steerer.agent, mode="listed", temperature=settings.temperature, counts=ActionCounts())
    agent = exploring(own, config, project, own.candidates)
    search = Search(AgentInTurn(agent, steerer.turns), SEARCH_EAGLE, settings.steps, settings.beam)
    return Searcher(steerer, search)


def open_search(project: Project, steerer: Steerer, method: str) -> Searcher:
    """Return the search with a method of the comparison, opened on the project's own files.

    Raises EagleError for an unknown method, and where the files that it needs are not there.
    """
    config = load_config(project.params)
    if method == SEARCH_EAGLE:
        return own_search(config, project, steerer)
    data = load_training_data(config.utility, project)
    context = MethodContext(config, project, data, list(data.latent.users), agents_over(config, project, steerer))
    return Searcher(steerer, open_method(method, context))


def agents_over(config: Config, project: Project, steerer: Steerer) -> Callable[[str], Agent]:
    """Return what opens an arm in which a language model acts, over the steerer's model and list of actions."""
    scorers = steerer.scorers or TrieScorers(config, project.llm)
    known = {arm.name: arm for arm in (*proposer_arms(config), *policy_arms(config))}

    def opened(name: str) -> Agent:
        arm = known[name]
        agent: LoraAgent = replace(
            steerer.agent,
            name=name,
            adapter=adapter_of(arm, project),
            mode=arm.mode,
            temperature=config.evaluate.search.temperature,
            scorer=scorers.of(adapter_of(arm, project)),
            counts=ActionCounts(),
        )
        return AgentInTurn(agent, steerer.turns)

    return opened
