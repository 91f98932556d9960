"""Searches that come with the project: who proposes the actions that a search draws.

Every proposer draws from the candidate actions with a temperature of its own, so that a search sees different ones.
The language models draw from their distribution over the list, through the trie: one reading of the prompt serves all
draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from eagle.actions.candidate_list import CandidateList, available
from eagle.actions.stored import read_design
from eagle.config import Config
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.methods.context import MethodContext
from eagle.methods.direct_prompt import DirectPrompt
from eagle.methods.rules import RandomActions, mean_shifts
from eagle.methods.search import Search
from eagle.methods.softmax import Tastes
from eagle.methods.softmax_fit import fit_softmax_policy
from eagle.policies.base import Agent
from eagle.policies.drawing import drawn
from eagle.policies.exploring import ExploringAgent, by_design, evenly

if TYPE_CHECKING:
    from eagle.environment.steering import Observation
    from eagle.latent.base import Utility


@dataclass(frozen=True)
class SoftLinearRule:
    """Draws an action by exp(score / temperature), the score being what its mean shift is worth to the user."""

    candidates: CandidateList
    scores: Callable[[str], Mapping[str, float]]
    """User -> action -> score in SD of U."""
    temperature: float
    repeat: bool = False
    name: str = "soft_linear_rule"

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        """Return one action of the list for each observation; temperature 0 takes the best."""
        chosen, known = [], {}
        for seen, seed in zip(observations, seeds, strict=True):
            if seen.user not in known:
                known[seen.user] = self.scores(seen.user)
            own = known[seen.user]
            actions = [a for a in self.candidates.of(seen.anchor) if a in own]
            options = available(actions, seen.history, repeat=self.repeat)
            scores = np.array([own[action] for action in options])
            chosen.append(options[drawn(scores, self.temperature, seed)])
        return chosen


def shift_values(shifts: Mapping[str, np.ndarray], utility: Utility) -> Callable[[str], dict[str, float]]:
    """Return what each mean shift is worth to a user by predicted rating, in SD over the catalogue."""
    actions, taste = list(shifts), utility.preference_only()
    moved = np.stack([shifts[action] for action in actions]).astype(np.float32)

    def of(user: str) -> dict[str, float]:
        worth = taste.matrix(moved, [user])[:, 0] - taste.matrix(np.zeros_like(moved[:1]), [user])[0, 0]
        return dict(zip(actions, worth.tolist(), strict=True))

    return of


def _search(context: MethodContext, agent: Agent, name: str) -> Search:
    settings = context.config.evaluate.search
    return Search(agent, name, settings.steps, settings.beam)


def search_random(context: MethodContext) -> Search:
    """Return the search that draws listed actions uniformly: unguided search."""
    return _search(context, RandomActions(context.candidates, context.repeat), "search_random")


def search_linear_rule(context: MethodContext) -> Search:
    """Return the search that draws by the linear rule's scores."""
    data, settings = context.data, context.config.evaluate.search
    scores = shift_values(mean_shifts(data.steps), data.utility)
    agent = SoftLinearRule(data.candidates, scores, settings.rule_temperature, context.repeat)
    return _search(context, agent, "search_linear_rule")


def search_softmax_policy(context: MethodContext) -> Search:
    """Return the search that draws from the softmax policy on genre features."""
    agent = fit_softmax_policy(context.data, repeat=context.repeat)
    return _search(context, replace(agent, temperature=1.0), "search_softmax_policy")


def exploring(agent: Agent, config: Config, project: Project, candidates: CandidateList) -> Agent:
    """Return the agent as it proposes in a search: with ``evaluate.search.epsilon``, now and then a listed action.

    At epsilon 0 it is ``agent`` itself.
    """
    settings = config.evaluate.search
    if settings.epsilon == 0:
        return agent
    weight = by_design(read_design(project.design_weights)) if settings.explore == "design" else evenly
    return ExploringAgent(
        agent, candidates, settings.epsilon, weight, settings.epsilon_decay, config.train.repeat_actions
    )


def proposing(context: MethodContext, kind: str, start: str | None = None) -> Agent:
    """Return the language model that proposes in searches: ``kind`` is "eagle" or "reference".

    ``start``: the trained arm, by its reference; None takes the first one.
    """
    agent = context.agent(f"{kind}_{start or first_arm(context)}_proposes")
    return exploring(agent, context.config, context.project, context.candidates)


def search_reference(context: MethodContext) -> Search:
    """Return the search that draws from the reference policy that the first trained agent started from."""
    return search_with(context, "search_reference")


def search_eagle(context: MethodContext) -> Search:
    """Return the search that draws from the first trained agent: EAGLE asked more than once."""
    return search_with(context, "search_eagle")


def search_with(context: MethodContext, kind: str, name: str | None = None, start: str | None = None) -> Search:
    """Return the search of this kind (search_eagle, search_reference) under a name of its own.

    ``start``: the reference that it draws from, or that its agent was trained from; None takes the first agent's.
    """
    return _search(context, proposing(context, kind.removeprefix("search_"), start), name or kind)


def direct_prompt(context: MethodContext) -> Search:
    """Return the search whose every change is the user's profile: direct prompting, several times."""
    return _search(context, DirectPrompt(Tastes.of(context.data.profile_table)), "direct_prompt")


def first_arm(context: MethodContext) -> str:
    """Return the reference that the first trained agent started from; EagleError where no agent is trained."""
    if not context.config.train.arms:
        raise user_error(
            "there is no trained agent to search with",
            found="train.arms is empty",
            mend="name a reference in train.arms, or take the methods that search with one out of evaluate",
        )
    return context.config.train.arms[0]
