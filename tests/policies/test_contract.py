"""Every agent keeps the same contract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from eagle.engine.scripted import ScriptedModel
from eagle.methods.fixed_best import FixedBest
from eagle.methods.rules import LinearRule, RandomActions, mean_shifts
from eagle.methods.softmax import SoftmaxPolicy, Tastes
from eagle.policies.agents import LoraAgent
from eagle.policies.base import Agent
from eagle.testing.agents import AgentContract
from tests.policies.engine_scorer import EngineScorer
from tests.training.planted import ACTIONS, GENRES, Planted, planted


def written(problem: Planted, mode: str) -> LoraAgent:
    model = ScriptedModel(lambda prompt, seed: f" {ACTIONS[seed % len(ACTIONS)]}")
    profiles = dict.fromkeys(problem.tastes, "User likes war.")
    scorer = EngineScorer(model)
    return LoraAgent("eagle", model, Path("adapter"), problem.candidates, profiles, scorer, mode=mode)


def softmax(problem: Planted) -> SoftmaxPolicy:
    nothing = dict.fromkeys(problem.tastes, GENRES[:1])
    tastes = Tastes(nothing, nothing)
    features = len(tastes.features(GENRES, "u0", "Genres: war."))
    weights = np.random.default_rng(0).normal(size=(features, len(ACTIONS)))
    return SoftmaxPolicy(ACTIONS, GENRES, tastes, weights, temperature=0.5)


BUILT_IN: dict[str, Callable[[Planted], Agent]] = {
    "random": lambda problem: RandomActions(problem.candidates),
    "linear_rule": lambda problem: LinearRule(problem.candidates, mean_shifts(problem.steps), problem.tastes.get),
    "fixed_best": lambda problem: FixedBest(dict.fromkeys(problem.tastes, ACTIONS)),
    "softmax_policy": softmax,
    "eagle, free": lambda problem: written(problem, "free"),
    "eagle, listed": lambda problem: written(problem, "listed"),
}


class TestBuiltIn(AgentContract):
    @pytest.fixture(params=list(BUILT_IN))
    def agent(self, request: pytest.FixtureRequest) -> Agent:
        return BUILT_IN[request.param](planted())

    @pytest.fixture
    def anchors(self) -> Sequence[str]:
        return planted().candidates.anchors("train")
