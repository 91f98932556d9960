"""How an agent comes to its action, with a scripted engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from eagle.actions.candidate_list import CandidateList
from eagle.core.errors import EagleError
from eagle.engine.base import Completion, SamplingSpec, Usage
from eagle.policies.agents import LoraAgent
from tests.policies.engine_scorer import EngineScorer

LISTED = CandidateList(("Add a war.", "Add a robot.", "Add a dog."), {}, {})


@dataclass
class Scripted:
    """Answers from a list in turn; prefers later listed actions."""

    answers: list[str]
    name: str = "scripted"
    fingerprint: str = "0"
    usage: Usage = field(default_factory=Usage)
    prompts: list[str] = field(default_factory=list)
    adapters: list[Path | None] = field(default_factory=list)
    forbidden: list[Sequence[str]] = field(default_factory=list)

    def generate(
        self, prompts: Sequence[str], spec: SamplingSpec, seeds: Sequence[int], forbidden: Sequence[Sequence[str]] = ()
    ) -> list[Completion]:
        self.prompts += prompts
        self.forbidden += forbidden
        return [Completion(self.answers.pop(0)) for _ in prompts]

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> list[np.ndarray]:
        return [
            np.array([-1.0, -{" Add a war.\n": 3.0, " Add a robot.\n": 2.0, " Add a dog.\n": 1.0}[c]])
            for c in continuations
        ]

    def chat(self, messages: Sequence[tuple[str, str]], prefill: str = "") -> str:
        return prefill

    def load_adapter(self, folder: Path | None) -> None:
        self.adapters.append(folder)


def observation(history: tuple[str, ...] = (), user: str = "u") -> Any:
    return SimpleNamespace(
        case=0, anchor="x", user=user, step=len(history), text="Genres: war.", year=None, history=history
    )


def agent(model: Scripted, **settings: Any) -> LoraAgent:
    return LoraAgent("eagle", model, Path("adapter"), LISTED, {"u": "User likes war."}, EngineScorer(model), **settings)


def test_free_text_is_taken_as_it_is_and_the_adapter_is_put_back() -> None:
    model = Scripted(["Add a cat.", " Add a war. "])
    made = agent(model)
    assert made.act([observation(), observation()], [1, 2]) == ["Add a cat.", "Add a war."]
    assert (made.counts.acted, made.counts.listed, made.counts.unlisted, made.counts.fallen_back) == (2, 1, 1, 0)
    assert model.adapters == [Path("adapter"), None]


def test_repetition_is_drawn_again_then_replaced_by_the_best_unused_listed_action() -> None:
    model = Scripted(["Add a dog.", "add a dog", "Add a cat.", "Add a cow."])
    made = agent(model, draws=4)
    assert made.act([observation(("Add a dog.",))], [1]) == ["Add a cat."]
    assert made.counts.resampled == 1
    assert len(model.prompts) == 4  # the third round has two draws; the first that will do is taken
    lucky = Scripted(["Add a dog.", "Add a cat."])
    assert agent(lucky).act([observation(("Add a dog.",))], [1]) == ["Add a cat."]
    assert len(lucky.prompts) == 2
    stubborn = agent(Scripted(["add a dog!"] * LoraAgent.draws))
    assert stubborn.act([observation(("Add a dog.",))], [1]) == ["Add a robot."]
    assert stubborn.counts.fallen_back == 1
    assert agent(Scripted(["Add a dog."]), repeat=True).act([observation(("Add a dog.",))], [1]) == ["Add a dog."]


def test_where_a_used_action_came_the_model_is_told_what_was_used() -> None:
    model = Scripted(["Add a dog.", "Add a cow.", "Add a cat."])
    assert agent(model).act([observation(("Add a war.", "Add a dog.")), observation()], [1, 2]) == [
        "Add a cat.",
        "Add a cow.",
    ]
    assert model.forbidden == [(), (), [" Add a war.", " Add a dog."]]
    free = Scripted(["Add a dog."])
    agent(free, repeat=True).act([observation(("Add a dog.",))], [1])
    assert not any(free.forbidden)


def test_invalid_text_falls_back_and_greedy_draws_once() -> None:
    model = Scripted(["the hero"])
    assert agent(model, temperature=0.0).act([observation()], [1]) == ["Add a dog."]
    assert len(model.prompts) == 1


def test_prompt_names_the_last_used_actions_only() -> None:
    history = ("Add a war.", "Add a robot.", "Add a dog.")
    made = agent(Scripted([]), history=2)
    assert made.prompt(observation(history)).splitlines()[2] == "Done: Add a robot. Add a dog."
    assert "Done" not in agent(Scripted([]), repeat=True).prompt(observation(history))


def test_listed_mode_takes_the_best_or_draws_by_seed() -> None:
    greedy = agent(Scripted([]), mode="listed", temperature=0.0)
    assert greedy.act([observation(), observation(("Add a dog.",))], [1, 2]) == ["Add a dog.", "Add a robot."]
    drawn = agent(Scripted([]), mode="listed", temperature=1.0)
    rows = [observation()] * 300
    actions = drawn.act(rows, range(300))
    assert actions == drawn.act(rows, range(300))
    weights = np.exp([-3.0, -2.0, -1.0])
    share = np.array([actions.count(a) for a in LISTED.shared]) / 300
    np.testing.assert_allclose(share, weights / weights.sum(), atol=0.09)


def test_unknown_user_is_a_user_error() -> None:
    with pytest.raises(EagleError, match="unknown user"):
        agent(Scripted([])).act([observation(user="nobody")], [1])
    assert agent(Scripted([])).act([], []) == []
