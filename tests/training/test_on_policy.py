"""On-policy rollouts in an environment whose answers are known: it pays for short actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from eagle.config import LoraSettings, OnPolicyPhase
from eagle.core.errors import EagleError
from eagle.policies.lora import LoraPolicy
from eagle.training.on_policy import OnPolicy, importance, repetition
from eagle.training.rollouts import Rules, Turn, roll_out
from tests.tiny import build_tiny_llm
from tests.training.paying import LISTED, Counting, Place, rules


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_llm(tmp_path_factory.mktemp("llm") / "model")


@pytest.fixture
def policy(base: Path, tmp_path: Path) -> LoraPolicy:
    LoraPolicy.create(base, LoraSettings(rank=4), 0).save(tmp_path / "reference")
    return LoraPolicy.load(base, tmp_path / "reference", trainable=True)


def phase(policy: LoraPolicy, environment: Any, how: Rules | None = None, **settings: Any) -> OnPolicy:
    values = {"updates": 1, "episodes": 8, "rollouts_per_pair": 4} | settings
    cases: Any = [Place(0)]
    return OnPolicy(
        OnPolicyPhase(**values), environment, how or rules(), cases, policy, kl_coefficient=0.1, gamma=1.0, seed=3
    )


def test_episodes_have_the_horizon_and_failed_ones_their_cause(policy: LoraPolicy) -> None:
    environment: Any = Counting(failing=frozenset({1}))
    cases: Any = [Place(i) for i in range(3)]
    episodes = roll_out(policy, environment, rules(), cases, [0, 0, 0], seed=1, world=3)
    assert [len(e.turns) for e in episodes] == [2, 1, 2]
    assert [e.cause for e in episodes] == [None, "no text", None]
    assert episodes[1].turns[0].reward is None
    again = roll_out(policy, environment, rules(), cases, [0, 0, 0], seed=1, world=3)
    assert [t.action for e in again for t in e.turns] == [t.action for e in episodes for t in e.turns]


def test_exploration_draws_from_the_design(policy: LoraPolicy) -> None:
    environment: Any = Counting()
    cases: Any = [Place(i) for i in range(4)]
    episodes = roll_out(policy, environment, rules(epsilon=1.0), cases, [0] * 4, seed=1, world=3)
    turns = [t for e in episodes for t in e.turns]
    assert {t.action for t in turns} == {LISTED[1]}
    assert {(t.origin, t.behaviour) for t in turns} == {("explored", 1.0)}


def test_importance_weights() -> None:
    turn = Turn("", "x", (), "policy", 0.0, True, 1.0, "", False)
    assert importance(np.log(0.3), turn, 0.0) == pytest.approx(1)
    assert importance(np.log(0.3), replace(turn, behaviour=0.9), 0.5) == pytest.approx(0.3 / 0.6)
    assert importance(np.log(0.3), replace(turn, origin="replaced"), 0.5) == 0


def test_repetition_by_hand() -> None:
    assert repetition("a b a b") == 0.5


@pytest.mark.parametrize("baseline", ["value", "leave_one_out"])
def test_an_update_moves_the_adapter_alone_and_starts_at_the_reference(policy: LoraPolicy, baseline: str) -> None:
    started = {name: p.detach().clone() for name, p in policy.model.named_parameters()}
    running = phase(policy, Counting(), baseline=baseline)
    row, _ = running.update(0)
    assert row["kl"] == pytest.approx(0, abs=1e-5)
    assert ("value_loss" in row) == (baseline == "value")
    moved = {name for name, p in policy.model.named_parameters() if not torch.equal(p, started[name])}
    assert moved == {
        name for name in policy.parameters() if "lora_B" in name
    }  # lora_A gets no gradient while B is zero
    assert row["reward"] >= 0
    assert running.update(1)[0]["kl"] > 0


def test_actions_with_an_advantage_become_likelier_and_replaced_ones_do_not_matter(policy: LoraPolicy) -> None:
    running = phase(policy, Counting(), learning_rate=1e-2)
    good, bad = (
        Turn("Action:", a, tuple(policy.action_tokens(a)), "policy", 0.0, True, 1.0, "", False) for a in LISTED
    )

    def margin() -> float:
        with torch.no_grad():
            scores = policy.score_lists(["Action:"], [LISTED], full=True)[1][0]
        return float(scores[0] - scores[1])

    before = margin()
    for _ in range(3):
        running.descend_policy([good, bad], np.array([1.0, -1.0]), 1.0)
    after = margin()
    assert after > before + 1
    running.kl_coefficient = 0.0
    row = running.descend_policy([replace(good, origin="replaced")], np.array([-5.0]), 1.0)
    assert row["gradient_norm"] == 0


def test_value_head_learns_its_goal(policy: LoraPolicy) -> None:
    running = phase(policy, Counting(), value_learning_rate=1e-2)
    states = running.states_of(["Action:", "Genres: war.\nAction:"])
    assert np.array_equal(running.values_of(states), [0.0, 0.0])
    losses = [running.descend_value(states, np.array([1.0, -1.0])) for _ in range(40)]
    assert losses[-1] < 0.05 * losses[0]


def test_too_many_failures_stop_training_and_name_the_cause(policy: LoraPolicy) -> None:
    with pytest.raises(EagleError, match="no text"):
        phase(policy, Counting(failing=frozenset(range(6)))).update(0)


def test_some_failures_are_counted_and_left_out(policy: LoraPolicy) -> None:
    row, samples = phase(policy, Counting(failing=frozenset({0}))).update(0)
    assert row["failed_share"] == pytest.approx(1 / 8)
    assert np.isfinite(row["loss"])
    assert samples[0]["cause"] == "no text"


def test_the_size_of_a_pass_does_not_change_the_gradient(policy: LoraPolicy, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = [
        Turn("Action:", a, tuple(policy.action_tokens(a)), "policy", 0.0, True, 1.0, "x", False) for a in LISTED * 3
    ]
    found = []
    score, halved = policy.score_texts, policy.usage.halved
    for tokens, room, passes in ((10_000, 6, 1), (1, 6, 6), (10_000, 2, 1)):

        def held(prompts: Sequence[str], *rest: Any, room: int = room) -> Any:
            if len(prompts) > room:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return score(prompts, *rest)

        monkeypatch.setattr(policy, "score_texts", held)
        monkeypatch.setattr("eagle.training.on_policy.TOKENS", tokens)
        running = phase(policy, Counting())
        assert len(list(running.passes_over([(turn, 0.0) for turn in turns], tokens))) == passes
        monkeypatch.setattr(running.groups["policy"].optimizer, "step", lambda: None)
        figures = running.descend_policy(turns, np.arange(6.0), 1.0)
        found.append((figures["loss"], figures["gradient_norm"]))
    np.testing.assert_allclose(found, [found[0]] * 3, rtol=1e-5)
    assert policy.usage.halved == halved + 2  # at most 6 of 10,000 are there, 3 are too many, and 1 is not
