"""The all-action loss against its analytic gradient; learning on the planted problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from eagle.config import AllActionPhase, LoraSettings
from eagle.core.errors import EagleError
from eagle.policies.lora import LoraPolicy
from eagle.training.advantages import gae, leave_one_out, returns
from eagle.training.all_action import AllAction, information, list_loss, without_common
from eagle.training.imitation import imitate
from eagle.training.optimizer import Descent, adamw, warm
from eagle.training.reference import target
from eagle.training.scoring import expected_values, score_decisions
from eagle.training.watch import Watch
from tests.tiny import build_tiny_llm
from tests.training.planted import ACTIONS, planted


def test_gradient_equals_the_analytic_one_on_a_softmax() -> None:
    """d loss / d logit_k = -pi_k (A_k - E A) / s + alpha / s pi_k (log pi_k - log ref_k - KL)."""
    rng = np.random.default_rng(0)
    logits = torch.tensor(rng.normal(size=5), requires_grad=True)
    reference = torch.tensor(rng.normal(size=5)).log_softmax(0)
    q = torch.tensor(rng.normal(size=5))
    part = list_loss(
        logits.log_softmax(0), reference, torch.zeros(5), q, advantage_scale=0.2, kl_coefficient=0.3, listed_mass=0.0
    )
    part.loss.backward()
    log_pi = logits.detach().log_softmax(0)
    pi = log_pi.exp()
    kl = (pi * (log_pi - reference)).sum()
    expected = (-pi * (q - (pi * q).sum()) + 0.3 * pi * (log_pi - reference - kl)) / 0.2
    np.testing.assert_allclose(logits.grad, expected, atol=1e-12)
    assert float(part.kl.detach()) == pytest.approx(float(kl))
    assert float(part.entropy.detach()) == pytest.approx(float(-(pi * log_pi).sum()))


def test_closed_form_has_its_minimum_where_the_gradient_objective_has() -> None:
    """At pi_ref exp(Q / alpha) / Z both gradients vanish; elsewhere the cross-entropy's is pi - pi*."""
    rng = np.random.default_rng(1)
    reference, q = torch.tensor(rng.normal(size=6)).log_softmax(0), torch.tensor(rng.normal(size=6))
    best = (reference + q / 0.3).log_softmax(0)
    for start, expected in ((best, torch.zeros(6)), (reference, reference.exp() - best.exp())):
        for closed_form in (True, False):
            logits = start.clone().requires_grad_(True)
            part = list_loss(
                logits.log_softmax(0), reference, torch.zeros(6), q,
                advantage_scale=1.0, kl_coefficient=0.3, listed_mass=0.0, closed_form=closed_form,
            )  # fmt: skip
            part.loss.backward()
            assert logits.grad is not None
            if closed_form or start is best:
                np.testing.assert_allclose(logits.grad, expected, atol=1e-12)


def test_listed_mass_pulls_probability_to_the_list() -> None:
    logits = torch.zeros(4, requires_grad=True)  # two listed, two not
    log_all = logits.log_softmax(0)
    part = list_loss(
        log_all[:2].log_softmax(0), torch.log(torch.tensor([0.5, 0.5])), log_all[:2], torch.zeros(2),
        advantage_scale=1.0, kl_coefficient=0.0, listed_mass=1.0,
    )  # fmt: skip
    part.loss.backward()
    assert logits.grad is not None
    np.testing.assert_allclose(logits.grad, [-0.25, -0.25, 0.25, 0.25], atol=1e-6)
    assert float(part.mass.detach().exp()) == pytest.approx(0.5)


def test_information_is_log_n_for_n_distinct_and_zero_for_equal_policies() -> None:
    assert information([{"a": 1.0}, {"b": 1.0}, {"c": 1.0}]) == pytest.approx(np.log(3))
    assert information([{"a": 0.3, "b": 0.7}] * 4) == pytest.approx(0)


def test_gae_by_hand() -> None:
    rewards, values = np.array([[1.0, 0.0, 2.0]]), np.array([[0.5, 1.0, 1.5]])
    # surprises at gamma .9: 1 + .9 - .5 = 1.4; 0 + 1.35 - 1 = .35; 2 - 1.5 = .5; carried with gamma lambda = .72
    expected = [1.4 + 0.72 * (0.35 + 0.72 * 0.5), 0.35 + 0.72 * 0.5, 0.5]
    np.testing.assert_allclose(gae(rewards, values, 0.9, 0.8)[0], expected)
    np.testing.assert_allclose(returns(rewards, 0.5)[0], [1.5, 1.0, 2.0])


def test_steps_and_end_rewards_have_the_same_return_at_gamma_one() -> None:
    utilities = np.array([[0.2, 0.5, -0.1, 0.9]])
    by_step = np.diff(utilities, axis=1)
    at_end = np.array([[0.0, 0.0, utilities[0, -1]]])
    np.testing.assert_allclose(returns(by_step, 1.0)[:, 0], returns(at_end, 1.0)[:, 0] - utilities[:, 0])


def test_leave_one_out_by_hand() -> None:
    gains = np.array([[1.0], [3.0], [8.0], [5.0]])
    np.testing.assert_allclose(leave_one_out(gains, np.array([0, 0, 0, 1]))[:, 0], [1 - 5.5, 3 - 4.5, 8 - 2, 0])


def test_warm_up_is_linear_then_constant() -> None:
    assert [warm(1.0, u, 4) for u in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert warm(2.0, 0, 0) == 2.0


def test_decay_is_linear_and_no_update_is_lost() -> None:
    assert [warm(1.0, u, 2, falls_over=4) for u in range(4)] == [0.5, 0.75, 0.5, 0.25]


def test_a_cold_agent_is_worth_its_best_action_and_a_hot_one_the_mean() -> None:
    decision = planted().source(horizon=1, lookahead=1).first("a0", "u0")
    log_pi = torch.tensor([0.5, 0.3, 0.1, 0.1]).log()
    assert expected_values([decision], [log_pi])[0] == pytest.approx(np.dot([0.5, 0.3, 0.1, 0.1], decision.values))
    assert expected_values([decision], [log_pi], 1e-3)[0] == pytest.approx(decision.values[0])
    assert expected_values([decision], [log_pi], 1e6)[0] == pytest.approx(decision.values.mean(), abs=1e-5)


def test_the_pool_remembers_what_the_reference_says_now_and_later(base: Path, reference: Path) -> None:
    policy = LoraPolicy.load(base, reference, trainable=True)
    phase = AllAction(
        AllActionPhase(updates=2, pairs=4, pool=6, repair_every=0),
        planted().source(horizon=2),
        policy,
        kl_coefficient=0.1,
        seed=3,
    )
    first, second = (phase.update(number)[0] for number in range(2))
    assert (first["kl"], second["kl"] > 0) == (pytest.approx(0, abs=1e-6), True)
    with policy.as_reference():
        again = score_decisions(policy, phase.pool)
    assert len(phase.pool) == 6
    for remembered, asked in zip(phase.references, again, strict=True):
        torch.testing.assert_close(remembered, asked)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_llm(tmp_path_factory.mktemp("llm") / "model")


@pytest.fixture(scope="module")
def reference(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A uniform reference over the planted actions, and the proof that its fine-tuning learns the target."""
    source = planted().source(horizon=2)
    policy = LoraPolicy.create(base, LoraSettings(rank=8), 0)
    descent = Descent(adamw(policy.parameters(), 1e-2), policy.usage, 4)
    losses = []
    for update in range(120):
        decisions = source.sample(np.random.default_rng(update), 4)
        losses.append(imitate(policy, decisions, [target("uniform", d, {}) for d in decisions], descent))
        descent.step(warm(1e-2, update, 2))
    assert losses[-1] < 0.3 * losses[0]
    folder = tmp_path_factory.mktemp("reference") / "uniform"
    policy.save(folder)
    return folder


def test_eagle_learns_each_users_action_and_moves_nothing_else(base: Path, reference: Path) -> None:
    problem = planted()
    source = problem.source(horizon=1, lookahead=1)
    policy = LoraPolicy.load(base, reference, trainable=True)
    before = {name: p.detach().clone() for name, p in policy.model.named_parameters()}
    held = [source.first(a, u) for a in source.anchors[:2] for u in problem.tastes]
    watch = Watch(policy, held, 0.5, 0)
    start = watch()
    assert start["validation_gain"] == pytest.approx(0, abs=1e-6)
    phase = AllAction(
        AllActionPhase(updates=60, pairs=8, learning_rate=3e-3, repair_every=6),
        source,
        policy,
        kl_coefficient=0.02,
        seed=1,
    )
    rows = [phase.update(number)[0] for number in range(60)]
    assert rows[0]["kl"] == pytest.approx(0, abs=1e-6)
    assert rows[0]["gain"] == pytest.approx(0, abs=1e-6)
    end = watch()
    headroom = np.mean([d.values.max() - np.mean(d.values) for d in held])
    assert end["validation_gain"] > 0.7 * headroom
    assert end["user_information"] > 0.7 > 0.2 > start["user_information"]
    favourites = [ACTIONS[int(lp.argmax())] for lp in score_decisions(policy, held)]
    assert favourites[:4] == list(ACTIONS)
    for name, parameter in policy.model.named_parameters():
        assert torch.equal(parameter, before[name]) == (name not in policy.parameters())


def room_for(policy: LoraPolicy, decisions: int, patch: pytest.MonkeyPatch) -> None:
    """Let the policy run out of memory where it scores more decisions at once."""
    score = policy.score_lists

    def held(prompts: Sequence[str], *rest: Any, **settings: Any) -> Any:
        if len(prompts) > decisions:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return score(prompts, *rest, **settings)

    patch.setattr(policy, "score_lists", held)


def test_an_update_that_memory_does_not_hold_is_taken_in_parts(
    base: Path, reference: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found, halved = [], []
    for room in (8, 3):
        policy = LoraPolicy.load(base, reference, trainable=True)
        room_for(policy, room, monkeypatch)
        settings = AllActionPhase(updates=3, pairs=8, learning_rate=3e-3, repair_every=2)
        phase = AllAction(settings, planted().source(horizon=1, lookahead=1), policy, kl_coefficient=0.02, seed=1)
        rows = [phase.update(number)[0] for number in range(3)]
        found.append(torch.cat([p.detach().flatten() for p in policy.parameters().values()]))
        halved.append(policy.usage.halved)
        found.append(torch.tensor([[row["loss"], row["gradient_norm"], row["gain"]] for row in rows]))
    assert halved == [0, 2]  # 8, 4, 2: the later updates begin where the first one ended
    assert "memory ran out with 8 decisions at once: going on with 4" in caplog.text
    torch.testing.assert_close(found[2], found[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(found[3], found[1], atol=1e-5, rtol=1e-5)


def test_one_decision_that_memory_does_not_hold_is_one_clear_error(
    base: Path, reference: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = LoraPolicy.load(base, reference, trainable=True)
    room_for(policy, 0, monkeypatch)
    phase = AllAction(
        AllActionPhase(updates=1, pairs=4),
        planted().source(horizon=1, lookahead=1),
        policy,
        kl_coefficient=0.02,
        seed=1,
    )
    with pytest.raises(EagleError, match=r"memory runs out while training with the smallest batch \(1 decisions\)"):
        phase.update(0)


def test_targets() -> None:
    source = planted().source(horizon=2, lookahead=1)
    decision = next(d for d in source.sample(np.random.default_rng(0), 20) if d.state.history)
    uniform = target("uniform", decision, {})
    np.testing.assert_allclose(uniform, decision.unused / 3)
    best = target("optimistic", decision, {})
    assert best.sum() == 1
    assert decision.values[best.argmax()] == decision.values[decision.unused].max()
    weights = {(decision.state.anchor, a): w for a, w in zip(decision.actions, (0.4, 0.3, 0.2, 0.1), strict=True)}
    design = target("g_optimal", decision, weights)
    expected = np.array([0.4, 0.3, 0.2, 0.1]) * decision.unused
    np.testing.assert_allclose(design, expected / expected.sum())
    np.testing.assert_allclose(target("g_optimal", decision, {}), uniform)


def test_contrast_takes_off_what_all_rows_share_and_keeps_the_difference() -> None:
    source = planted().source(horizon=1, lookahead=1)
    decisions = [source.first("a0", user) for user in ("u0", "u1", "u2", "u3")]
    shifted = [replace(d, values=d.values + np.array([5.0, 0.0, 0.0, 0.0])) for d in decisions]
    for plain, moved in zip(without_common(decisions), without_common(shifted), strict=True):
        np.testing.assert_allclose(plain, moved, atol=1e-9)
    np.testing.assert_allclose(np.mean(without_common(decisions), axis=0), 0, atol=1e-12)
    assert [int(v.argmax()) for v in without_common(shifted)] == [0, 1, 2, 3]


def test_contrast_takes_what_stands_in_for_a_used_action_for_no_opinion_on_it() -> None:
    """Three of four rows have used the action that the fourth may still take: it is liked as before."""
    source = planted().source(horizon=2, lookahead=1, used="named")
    fresh = [source.first("a0", user) for user in ("u0", "u1", "u2", "u3")]
    unused = np.array([False, True, True, True])
    spent = [replace(d, values=np.where(unused, d.values, d.values[unused].min()), unused=unused) for d in fresh[1:]]
    last, *others = without_common([fresh[0], *spent])
    full = without_common(fresh)
    assert last.argmax() == full[0].argmax() == 0
    for own, whole in zip(others, full[1:], strict=True):
        assert own[0] == own[1:].min()
        assert own[1:].argmax() == whole[1:].argmax()


@given(data=st.data())
def test_contrast_finds_planted_tastes_whatever_each_row_has_used(data: st.DataObject) -> None:
    """Where a value is the row's level plus the action's appeal, shared actions are left without a difference."""
    rows, actions = 5, ("a", "b", "c", "d")
    numbers = st.floats(-3, 3)
    levels = data.draw(st.lists(numbers, min_size=rows, max_size=rows))
    appeal = np.array(data.draw(st.lists(numbers, min_size=4, max_size=4)))
    template = planted().source(horizon=2, lookahead=1).first("a0", "u0")
    decisions = []
    for level in levels:
        unused = np.array(data.draw(st.lists(st.booleans(), min_size=4, max_size=4).filter(any)))
        values = np.where(unused, level + appeal, (level + appeal)[unused].min())
        decisions.append(replace(template, actions=actions, values=values, unused=unused))
    shared = {a for i, a in enumerate(actions) if sum(d.unused[i] for d in decisions) > 1}
    for decision, goal in zip(decisions, without_common(decisions), strict=True):
        known = goal[np.array([a in shared for a in actions]) & decision.unused]
        np.testing.assert_allclose(known - known.mean() if known.size else known, 0, atol=1e-6)


def test_contrast_keeps_one_action_that_all_like_from_winning_for_everyone(base: Path, reference: Path) -> None:
    problem = planted()
    for user, taste in problem.tastes.items():
        problem.tastes[user] = 0.3 * taste + np.array([0.25, 0.0, 0.0, 0.0])
    source = problem.source(horizon=1, lookahead=1)
    told_apart = {}
    for updates in (0, 20):
        policy = LoraPolicy.load(base, reference, trainable=True)
        settings = AllActionPhase(
            objective="gradient", repair_every=6, pairs=8, learning_rate=3e-3, contrast_updates=updates
        )
        phase = AllAction(settings, source, policy, kl_coefficient=0.1, seed=2)
        for number in range(30):
            phase.update(number)
        held = [source.first("a0", user) for user in problem.tastes]
        told_apart[updates] = information(
            [dict(zip(ACTIONS, lp.exp().tolist(), strict=True)) for lp in score_decisions(policy, held)]
        )
    assert told_apart[20] > 0.6 > 0.3 > told_apart[0]
