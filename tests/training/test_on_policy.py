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
from eagle.policies.exploring import falling
from eagle.policies.lora import LoraPolicy
from eagle.training.advantages import leave_one_out
from eagle.training.on_policy import OnPolicy, importance, repetition
from eagle.training.rollouts import Rules, Turn, play_episodes
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
    episodes = play_episodes(policy, environment, rules(), cases, [0, 0, 0], seed=1, world=3)
    assert [len(e.turns) for e in episodes] == [2, 1, 2]
    assert [e.cause for e in episodes] == [None, "no text", None]
    assert episodes[1].turns[0].reward is None
    again = play_episodes(policy, environment, rules(), cases, [0, 0, 0], seed=1, world=3)
    assert [t.action for e in again for t in e.turns] == [t.action for e in episodes for t in e.turns]


def test_exploration_draws_from_the_design(policy: LoraPolicy) -> None:
    environment: Any = Counting()
    cases: Any = [Place(i) for i in range(4)]
    episodes = play_episodes(policy, environment, rules(epsilon=1.0), cases, [0] * 4, seed=1, world=3)
    turns = [t for e in episodes for t in e.turns]
    assert {t.action for t in turns} == {LISTED[1]}
    assert {(t.origin, t.behaviour) for t in turns} == {("explored", 1.0)}


def test_importance_weights() -> None:
    turn = Turn("", "x", (), "policy", 0.0, True, 1.0, "", False)
    assert importance(np.log(0.3), turn, 0.0) == pytest.approx(1)
    assert importance(np.log(0.3), replace(turn, behaviour=0.9), 0.5) == pytest.approx(0.3 / 0.6)
    assert importance(np.log(0.3), replace(turn, origin="replaced"), 0.5) == 0


def test_weighted_actions_climb_the_return_of_the_mixture_that_played_them() -> None:
    """Summed over all actions: b w A grad log pi = grad J(b) / (1 - epsilon), whatever A is taken against."""
    epsilon, explored = 0.6, torch.tensor([0.7, 0.2, 0.1, 0.0], dtype=torch.float64)
    rewards = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64)
    logits = torch.tensor([0.3, -0.2, 1.0, 0.0], dtype=torch.float64, requires_grad=True)
    pi = logits.softmax(0)
    mixed = (1 - epsilon) * pi + epsilon * explored
    (expected,) = torch.autograd.grad(mixed @ rewards, logits, retain_graph=True)
    turns = [Turn("", "x", (), "policy", float(q), True, 1.0, "", False, epsilon) for q in explored]
    weights = torch.tensor(
        [importance(p, t, t.epsilon) for p, t in zip(pi.detach().log().tolist(), turns, strict=True)]
    )
    assert float(weights.max()) == pytest.approx(1 / (1 - epsilon))  # the one that is never explored
    for baseline in (0.0, float((mixed @ rewards).detach())):
        pull = mixed.detach() * weights * (rewards - baseline)
        (found,) = torch.autograd.grad((pull * logits.log_softmax(0)).sum(), logits)
        np.testing.assert_allclose(found, expected / (1 - epsilon), atol=1e-12)


def test_epsilon_falls_to_zero_and_the_row_tells_it_with_the_regret(policy: LoraPolicy) -> None:
    running = phase(policy, Counting(), rules(epsilon=0.9), updates=3)
    running.best_return = lambda anchor, user: 2.0
    rows = [running.update(number)[0] for number in range(3)]
    assert [row["epsilon"] for row in rows] == pytest.approx([0.9, 0.45, 0.0])
    assert [row["regret"] for row in rows] == pytest.approx([2.0 - row["reward"] for row in rows])
    staying = phase(policy, Counting(), rules(epsilon=0.9), updates=3, epsilon_decay="none")
    assert [staying.rules_at(number).epsilon for number in range(3)] == [0.9] * 3


def test_without_epsilon_how_it_would_fall_changes_nothing(base: Path, tmp_path: Path) -> None:
    LoraPolicy.create(base, LoraSettings(rank=4), 0).save(tmp_path / "reference")
    found = []
    for decay in ("linear", "none"):
        policy = LoraPolicy.load(base, tmp_path / "reference", trainable=True)
        running = phase(policy, Counting(), updates=2, epsilon_decay=decay)
        found.append([running.update(number)[0] for number in range(2)])
    assert found[0] == found[1]
    assert not {"epsilon", "regret"} & set(found[0][0])


def regret_of(epsilon: float, seed: int, updates: int = 60) -> float:
    """Return the last regret of a policy over four actions whose best one it hardly ever takes at first."""
    rng, worth, even = np.random.default_rng(seed), np.array([0.0, 0.3, 1.0, 0.1]), np.full(4, 0.25)
    logits = np.array([4.0, 2.0, 0.0, 0.0])
    for update in range(updates):
        pi = np.exp(logits) / np.exp(logits).sum()
        now = falling(epsilon, update, updates)
        taken = rng.choice(4, size=8, p=(1 - now) * pi + now * even)
        gains = worth[taken] + 0.3 * rng.normal(size=8)
        pull = leave_one_out(gains[:, None], np.zeros(8, int))[:, 0]
        turn = Turn("", "x", (), "policy", 0.25, True, 1.0, "", False)
        weights = np.array([importance(np.log(pi[a]), turn, now) for a in taken])
        logits = logits + 3.0 * (weights * pull) @ (np.eye(4)[taken] - pi) / 8
    return float(worth.max() - pi @ worth)


def test_exploring_ends_with_less_regret_where_the_best_action_is_seldom_taken() -> None:
    without, explored = (np.mean([regret_of(epsilon, seed) for seed in range(20)]) for epsilon in (0.0, 0.5))
    assert explored < 0.02 < 0.04 < without


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
