"""Dynamics, values and decisions on the planted problem."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from eagle.core.errors import EagleError
from eagle.training.action_values import State
from eagle.training.dynamics import fit_dynamics
from eagle.training.scoring import among_choices, expected_values
from eagle.training.steps import CachedSteps
from tests.training.planted import ACTIONS, KEEP, PUSH, planted, table_and_vectors


def test_dynamics_recover_the_planted_map_on_many_anchors() -> None:
    table, vectors, places = table_and_vectors(anchors=200)
    steps = CachedSteps.from_tables(table, vectors, [str(r) for r in table["row"]], places)
    found = fit_dynamics(steps)
    z = np.array([[1.0, -1.0, 0.5, 0.0]])
    expected = KEEP * z + PUSH * np.eye(4)
    np.testing.assert_allclose(
        found.next_means(z, np.arange(4))[0][np.argsort([ACTIONS.index(a) for a in steps.vocabulary])],
        expected,
        atol=0.06,
    )
    assert found.explained > 0.98


def test_failed_transitions_are_left_out_and_all_failed_is_an_error() -> None:
    table, vectors, places = table_and_vectors()
    vectors[3] = np.nan
    table.loc[5, "next_text"] = None
    rows = [str(r) for r in table["row"]]
    assert len(CachedSteps.from_tables(table, vectors, rows, places)) == len(table) - 2
    with pytest.raises(EagleError, match="all failed"):
        CachedSteps.from_tables(table, vectors * np.nan, rows, places)


def test_second_steps_start_where_their_first_step_ended() -> None:
    table, vectors, places = table_and_vectors(anchors=1)
    table.loc[3, ["state", "step"]] = ["row:0", 2]
    steps = CachedSteps.from_tables(table, vectors, [str(r) for r in table["row"]], places)
    np.testing.assert_array_equal(steps.state_vector[3], steps.next_vector[0])


def test_one_step_value_weighs_the_cell_against_the_model() -> None:
    problem = planted(noise=0.5)
    only_model, only_cell, mixed = (problem.values(w) for w in (0.0, 1.0, 0.25))
    row = 2
    steps = problem.steps
    state = State(str(steps.anchor[row]), str(steps.state_text[row]), steps.state_vector[row])
    a, b, c = (v.next_vectors(state, ACTIONS) for v in (only_model, only_cell, mixed))
    np.testing.assert_allclose(c, 0.75 * a + 0.25 * b)
    np.testing.assert_allclose(b[ACTIONS.index(steps.vocabulary[steps.action[row]])], steps.next_vector[row])


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("repeat", [False, True])
@pytest.mark.parametrize("history", [(), (ACTIONS[2],)])
def test_lookahead_equals_trying_every_plan(depth: int, repeat: bool, history: tuple[str, ...]) -> None:
    problem = planted(noise=0.4)
    values = problem.values(0.0)
    state = State("new", "Genres: war.", np.array([0.3, -0.2, 0.1, 0.9]), history)
    found = values.of(state, "u1", ACTIONS, remaining=depth, repeat=repeat)
    places = {a: np.array([values.index[a]]) for a in ACTIONS}
    used = () if repeat else history

    def end(plan: tuple[str, ...]) -> float:
        z = state.vector
        for action in plan:
            z = values.dynamics.next_means(z[None], places[action])[0, 0]
        return float(z @ problem.tastes["u1"])

    open_actions = [a for a in ACTIONS if a not in used]
    expected = {}
    for first in open_actions:
        rest = itertools.product(open_actions, repeat=depth - 1)
        plans = [(first, *r) for r in rest if repeat or len({first, *r}) == depth]
        expected[first] = max(end(p) for p in plans)
    for action, value in zip(ACTIONS, found, strict=True):
        if action in expected:
            assert value == pytest.approx(expected[action], abs=1e-9)
        else:
            assert value == found.min()


def test_decisions_name_history_and_give_used_actions_nothing() -> None:
    source = planted(noise=0.3).source(horizon=3)
    decisions = source.sample(np.random.default_rng(0), 60)
    lengths = {len(d.state.history) for d in decisions}
    assert lengths == {0, 1, 2}
    for decision in decisions:
        history = decision.state.history
        assert len(set(history)) == len(history)
        assert ("Done: " + " ".join(history) in decision.prompt) == bool(history)
        assert [a for a, free in zip(decision.actions, decision.unused, strict=True) if not free] == [
            a for a in ACTIONS if a in history
        ]
        assert (decision.values[~decision.unused] == decision.values.min()).all()


def test_decisions_may_be_among_the_actions_left_or_among_all() -> None:
    for used, left in (("left_out", True), ("open", False)):
        decisions = planted().source(horizon=3, lookahead=1, used=used).sample(np.random.default_rng(0), 40)
        assert {len(d.state.history) for d in decisions} == {0, 1, 2}
        for decision in decisions:
            assert "Done" not in decision.prompt
            assert decision.actions == ACTIONS
            assert decision.choices == tuple(a for a in ACTIONS if not left or a not in decision.state.history)
            np.testing.assert_array_equal(
                decision.stakes, [v for a, v in zip(ACTIONS, decision.values, strict=True) if a in decision.choices]
            )
    every = (
        planted()
        .source(horizon=9, lookahead=1, used="left_out")
        .decide(State("a0", "Genres: war.", np.zeros(4), ACTIONS), "u0")
    )
    assert every.choices == ACTIONS  # where nothing is left, all may come again


def test_a_prompt_names_no_more_used_actions_than_the_agents_will() -> None:
    state = State("a0", "Genres: war.", np.zeros(4), ACTIONS[:3])
    for most, expected in ((None, ACTIONS[:3]), (2, ACTIONS[1:3]), (5, ACTIONS[:3])):
        prompt = planted().source(horizon=4, used="named", most_named=most).decide(state, "u0").prompt
        assert f"Done: {' '.join(expected)}\n" in prompt


def test_the_policy_among_the_choices_is_what_drawing_again_comes_to() -> None:
    source = planted().source(horizon=3, lookahead=1, used="left_out")
    decision = next(d for d in source.sample(np.random.default_rng(0), 20) if len(d.state.history) == 2)
    rng, chance = np.random.default_rng(1), np.array([0.4, 0.3, 0.2, 0.1])
    drawn = [ACTIONS[i] for i in rng.choice(4, size=40_000, p=chance)]
    accepted = [a for a in drawn if a not in decision.state.history]
    expected = [accepted.count(a) / len(accepted) for a in decision.choices]
    found = among_choices(torch.from_numpy(np.log(chance)), decision).exp().numpy()
    np.testing.assert_allclose(found, expected, atol=0.02)
    assert expected_values([decision], [torch.from_numpy(np.log(chance))])[0] == pytest.approx(
        float(found @ decision.stakes)
    )


def test_same_generator_same_decisions() -> None:
    source = planted().source()
    first, second = ([d.prompt for d in source.sample(np.random.default_rng(5), 10)] for _ in range(2))
    assert first == second
