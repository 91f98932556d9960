"""E[max of N] over a list: against simulation, finite differences and exact sums; the planted set; the loss."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.config import AllActionPhase, LoraSettings
from eagle.policies.lora import LoraPolicy
from eagle.training.all_action import AllAction, list_loss
from eagle.training.max_of_n import BestOf, worth_to_a_set
from eagle.training.steps import CachedSteps
from tests.tiny import build_tiny_llm
from tests.training.planted import ACTIONS, Planted, planted, table_and_vectors

SEEDS = st.integers(0, 2**32 - 1)
DRAWS = st.integers(1, 40)


def problem(seed: int, draws: int, actions: int = 6) -> tuple[BestOf, np.ndarray]:
    """Return random draws and a random policy over the list."""
    rng = np.random.default_rng(seed)
    values, spread = rng.normal(size=actions), rng.uniform(0.1, 1.0, actions)
    return BestOf(values, spread, draws), rng.dirichlet(np.ones(actions))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return np.asarray(logits - np.logaddexp.reduce(logits))


@pytest.mark.parametrize("draws", [1, 2, 8, 32])
def test_expected_is_what_drawing_and_keeping_the_best_comes_to(draws: int) -> None:
    best_of, pi = problem(3, draws)
    rng = np.random.default_rng(0)
    action = rng.choice(len(pi), size=(40_000, draws), p=pi)
    kept = (best_of.values[action] + best_of.spread[action] * rng.normal(size=action.shape)).max(1)
    assert best_of.expected(pi) == pytest.approx(kept.mean(), abs=4 * kept.std() / 200)


@given(SEEDS, DRAWS)
def test_worth_is_the_derivative_of_expected(seed: int, draws: int) -> None:
    best_of, pi = problem(seed, draws)
    worth, small = best_of.worth(pi), 1e-5
    for action in range(1, len(pi)):
        along = small * (np.eye(len(pi))[action] - np.eye(len(pi))[0])
        slope = (best_of.expected(pi + along) - best_of.expected(pi - along)) / (2 * small)
        assert worth[action] - worth[0] == pytest.approx(slope, abs=1e-5)


@given(SEEDS)
def test_one_draw_is_worth_its_value(seed: int) -> None:
    best_of, pi = problem(seed, 1)
    assert best_of.expected(pi) == pytest.approx(pi @ best_of.values, abs=1e-6)
    worth = best_of.worth(pi)
    np.testing.assert_allclose(worth - worth[0], best_of.values - best_of.values[0], atol=1e-6)
    for closed_form in (True, False):
        put = worth_to_a_set(best_of, np.log(pi), np.log(pi), kl_coefficient=0.1, closed_form=closed_form)
        assert put is best_of.values


def test_without_spread_it_is_the_sum_over_the_ranked_list() -> None:
    values, pi, draws = np.array([0.3, -1.0, 2.0, 0.9]), np.array([0.4, 0.3, 0.1, 0.2]), 5
    order = np.argsort(values)
    reached = np.cumsum(pi[order]) ** draws
    exact = float(values[order] @ np.diff(reached, prepend=0.0))
    assert BestOf(values, np.zeros(4), draws).expected(pi) == pytest.approx(exact, abs=0.02)


@given(SEEDS, DRAWS, st.floats(-3, 3))
def test_more_draws_are_worth_more_and_a_constant_moves_nothing_else(seed: int, draws: int, constant: float) -> None:
    best_of, pi = problem(seed, draws)
    assert replace(best_of, draws=draws + 1).expected(pi) > best_of.expected(pi)
    moved = replace(best_of, values=best_of.values + constant)
    assert moved.expected(pi) == pytest.approx(best_of.expected(pi) + constant, abs=1e-9)
    np.testing.assert_allclose(moved.worth(pi), best_of.worth(pi), atol=1e-9)


@settings(max_examples=40)
@given(SEEDS, DRAWS, st.sampled_from([0.01, 0.04, 0.3, 2.0]))
def test_no_policy_beats_the_steered_one_and_it_is_its_own_goal(seed: int, draws: int, alpha: float) -> None:
    best_of, pi = problem(seed, draws)
    reference = np.log(np.random.default_rng([seed, 1]).dirichlet(np.ones(len(pi))) + 1e-9)
    reference = log_softmax(reference)

    def objective(log_p: np.ndarray) -> float:
        p = np.exp(log_p)
        return best_of.expected(p) - alpha * float(p @ (log_p - reference))

    found = best_of.steered(reference, alpha)
    goal = log_softmax(reference + best_of.worth(np.exp(found)) / alpha)
    np.testing.assert_allclose(np.exp(goal), np.exp(found), atol=1e-4)
    for other in (np.log(pi), reference, log_softmax(found + 0.1 * np.sin(np.arange(len(pi))))):
        assert objective(found) >= objective(other) - 1e-9
    if draws == 1:
        np.testing.assert_allclose(np.exp(found), np.exp(log_softmax(reference + best_of.values / alpha)), atol=1e-4)


#: One sure action, two that are worse on average but spread; the best single action is no part of the best set.
SURE_AND_BOLD = (np.array([1.0, 0.8, 0.8, 0.0]), np.array([0.05, 1.0, 1.0, 0.3]))


@pytest.mark.parametrize("closed_form", [True, False])
def test_the_best_set_is_found_where_it_is_not_made_of_the_best_action(closed_form: bool) -> None:
    ended = {}
    for draws in (1, 8):
        best_of = BestOf(*SURE_AND_BOLD, draws)
        logits = torch.zeros(4, dtype=torch.float64, requires_grad=True)
        reference = torch.zeros(4, dtype=torch.float64).log_softmax(0)
        descent = torch.optim.Adam([logits], lr=0.1)
        for _ in range(150):
            log_pi = logits.log_softmax(0)
            worth = worth_to_a_set(
                best_of, log_pi.detach().numpy(), reference.numpy(), kl_coefficient=0.05, closed_form=closed_form
            )
            part = list_loss(
                log_pi, reference, torch.zeros(4, dtype=torch.float64), torch.from_numpy(worth),
                advantage_scale=0.1, kl_coefficient=0.05, listed_mass=0.0, closed_form=closed_form,
            )  # fmt: skip
            descent.zero_grad()
            part.loss.backward()
            descent.step()
        ended[draws] = logits.detach().softmax(0).numpy()
        np.testing.assert_allclose(ended[draws], np.exp(best_of.steered(reference.numpy(), 0.05)), atol=0.02)
    assert ended[1][0] > 0.9
    assert ended[8][1] == pytest.approx(ended[8][2], abs=1e-3)
    assert ended[8][1] + ended[8][2] > 0.95
    best_of = BestOf(*SURE_AND_BOLD, 8)
    assert best_of.expected(ended[8]) > best_of.expected(ended[1]) + 1


def uneven() -> Planted:
    """Return the planted problem, each action tried twice, with ends on both sides of its mean for the second only."""
    table, vectors, places = table_and_vectors()
    second = (table["action_index"] == 1).to_numpy()
    apart = np.where(second[:, None], 2.0, 0.0) * np.array([0.5, 0.5, 0.5, 0.5])
    again = table.assign(row=table["row"] + len(table))
    both = pd.concat([table, again], ignore_index=True)
    ends = np.concatenate([vectors + apart, vectors - apart])
    steps = CachedSteps.from_tables(both, ends, [str(r) for r in both["row"]], places)
    return replace(planted(), steps=steps)


def test_spread_is_what_single_texts_differ_by_and_unseen_ones_share() -> None:
    problem = uneven()
    problem.tastes["u0"] = np.ones(4)
    spread = problem.values().spread("u0", ACTIONS)
    # By hand: a deviation of 2 x 4 x .5 = 4 in 16 of 64 rows; pooled variance 4; ten pooled rows beside an action's 16.
    expected = np.sqrt([(40 + (256 if i == 1 else 0)) / 26 for i in range(4)])
    np.testing.assert_allclose(spread, expected, rtol=0.05)
    np.testing.assert_array_equal(problem.values().spread("u0", ACTIONS[2:]), spread[2:])


def test_a_policy_trained_for_eight_draws_takes_the_bold_action_and_reports_its_set(tmp_path: Any) -> None:
    problem = uneven()
    problem.tastes.update({user: np.array([1.0, 0.8, 0.3, 0.3]) for user in problem.tastes})
    base = build_tiny_llm(tmp_path / "llm")
    LoraPolicy.create(base, LoraSettings(rank=4), 0).save(tmp_path / "reference")
    taken, last = {}, {}
    for draws in (1, 8):
        policy = LoraPolicy.load(base, tmp_path / "reference", trainable=True)
        chosen = AllActionPhase(
            draws=draws, updates=25, pairs=4, pool=8, learning_rate=1e-2, repair_every=0, contrast_updates=0
        )
        phase = AllAction(chosen, problem.source(horizon=1, lookahead=1), policy, kl_coefficient=0.04, seed=1)
        for number in range(25):
            last[draws], samples = phase.update(number)
        taken[draws] = samples[0]["action"]
    assert taken == {1: ACTIONS[0], 8: ACTIONS[1]}
    assert last[8]["set_utility"] > last[8]["utility"]
    assert "set_utility" not in last[1]
    assert last[1]["regret"] < last[8]["regret"]
