"""Simple agents on the planted problem."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from eagle.methods.rules import LinearRule, RandomActions, mean_shifts
from eagle.methods.softmax import SoftmaxPolicy, Tastes, fit_softmax
from tests.training.planted import ACTIONS, GENRES, PUSH, planted


def observation(user: str, history: tuple[str, ...] = ()) -> Any:
    return SimpleNamespace(case=0, anchor="new", user=user, step=0, text="Genres: war.", year=None, history=history)


def test_mean_shifts_differ_by_exactly_what_was_planted() -> None:
    shifts = mean_shifts(planted().steps)
    np.testing.assert_allclose(shifts[ACTIONS[1]] - shifts[ACTIONS[0]], [-PUSH, PUSH, 0, 0], atol=1e-9)


def test_mean_shifts_count_every_anchor_once() -> None:
    steps = planted().steps
    doubled = steps.of([*steps.anchor[:4]])
    assert len(doubled) == 4
    (row,) = np.flatnonzero([doubled.vocabulary[a] == ACTIONS[0] for a in doubled.action])
    np.testing.assert_allclose(mean_shifts(doubled)[ACTIONS[0]], doubled.next_vector[row] - doubled.state_vector[row])


def test_linear_rule_finds_each_users_action_and_goes_down_the_list() -> None:
    problem = planted(noise=0.3)
    rule = LinearRule(problem.candidates, mean_shifts(problem.steps), problem.tastes.__getitem__)
    assert rule.act([observation(u) for u in problem.tastes], [0] * 4) == list(ACTIONS)
    assert rule.act([observation("u0", (ACTIONS[0],)), observation("u0", ACTIONS[:2])], [0, 0]) == [
        ACTIONS[1],
        ACTIONS[2],
    ]
    again = LinearRule(problem.candidates, mean_shifts(problem.steps), problem.tastes.__getitem__, repeat=True)
    assert again.act([observation("u0", (ACTIONS[0],))], [0]) == [ACTIONS[0]]


def test_random_actions_are_uniform_over_what_is_unused() -> None:
    agent = RandomActions(planted().candidates)
    drawn = agent.act([observation("u0", (ACTIONS[0],))] * 600, range(600))
    assert drawn == agent.act([observation("u0", (ACTIONS[0],))] * 600, range(600))
    share = np.array([drawn.count(a) for a in ACTIONS]) / 600
    np.testing.assert_allclose(share, [0, 1 / 3, 1 / 3, 1 / 3], atol=0.07)


def test_softmax_reaches_the_closed_form_where_features_tell_users_apart() -> None:
    """With one-hot features the optimum is softmax(Q / alpha)."""
    values = np.array([[1.0, 0.0, -1.0], [0.0, 0.5, 0.0]])
    features = np.repeat(np.eye(2), 200, axis=0)
    weights = fit_softmax(features, np.repeat(values, 200, axis=0), kl_coefficient=1.0)
    chance = np.exp(weights) / np.exp(weights).sum(1, keepdims=True)
    expected = np.exp(values) / np.exp(values).sum(1, keepdims=True)
    np.testing.assert_allclose(chance, expected, atol=0.01)


def test_softmax_policy_acts_by_the_profile() -> None:
    problem = planted()
    liked = {u: tuple(GENRES[i] for i in np.argsort(-v)[:2]) for u, v in problem.tastes.items()}
    disliked = {u: tuple(GENRES[i] for i in np.argsort(v)[:2]) for u, v in problem.tastes.items()}
    tastes = Tastes(liked, disliked)
    source = problem.source(horizon=1, lookahead=1, used="open")
    decisions = [source.first(a, u) for a in source.anchors for u in problem.tastes]
    features = np.stack([tastes.features(GENRES, d.user, d.state.text) for d in decisions])
    weights = fit_softmax(features, np.stack([d.values for d in decisions]), 0.1)
    policy = SoftmaxPolicy(ACTIONS, GENRES, tastes, weights)
    assert policy.act([observation(u) for u in problem.tastes], [0] * 4) == list(ACTIONS)
    assert policy.act([observation("u0", (ACTIONS[0],))], [0])[0] in ACTIONS[1:]
