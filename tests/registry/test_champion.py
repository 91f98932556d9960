"""When the alias moves: known answers by construction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.config import Config, EvaluateConfig
from eagle.core.errors import user_error
from eagle.evaluation.arm import eagle_arm
from eagle.evaluation.bounds import BoundCheck
from eagle.registry.champion import CaseScores, bounds_text, decide, scores_of

CONFIG = Config(evaluate=EvaluateConfig(bootstrap=20))
ANCHORS, USERS = ["a", "a", "b", "b"], ["u", "v", "u", "v"]


BROKEN = [BoundCheck("defects", 0.4, 0.1, False)]


def scores(*utility: float, around: str = "same") -> CaseScores:
    return CaseScores(around, ANCHORS, USERS, list(utility))


def never() -> CaseScores:
    raise AssertionError("the same cases need no replay")


def test_the_first_agent_becomes_champion() -> None:
    decision = decide(scores(-1, -1, -1, -1), None, never, CONFIG)
    assert decision.moves
    assert decision.gain is None


@pytest.mark.parametrize(
    ("new", "moves"), [((2, 2, 2, 3), True), ((1, 1, 1, 2), False), ((1, 1, 1, 1), False), ((1, 1, 1, 0.5), False)]
)
def test_only_a_surely_better_agent_on_the_same_cases_moves_it(new: tuple[float, ...], moves: bool) -> None:
    decision = decide(scores(*new), scores(1, 1, 1, 1), never, CONFIG)
    assert decision.moves is moves
    assert decision.gain is not None
    assert decision.gain["mean"] == pytest.approx(np.mean(new) - 1)
    assert not decision.replayed


def test_other_cases_are_played_by_the_champion_first() -> None:
    stored = scores(9, 9, 9, 9, around="other")
    decision = decide(scores(1, 1, 1, 1), stored, lambda: scores(0, 0, 0, 0), CONFIG)
    assert decision.moves
    assert decision.replayed


def test_an_agent_outside_its_bounds_replaces_nobody() -> None:
    decision = decide(scores(2, 2, 2, 3), scores(1, 1, 1, 1), never, CONFIG, BROKEN)
    assert not decision.moves and decision.reason.endswith("; outside its bounds: defects 0.4 (at most 0.1)")
    assert decision.gain is not None and decision.gain["mean"] > 0
    assert decide(scores(1, 1, 1, 2), None, never, CONFIG, BROKEN).moves


def test_a_champion_that_cannot_play_stays() -> None:
    def absent() -> CaseScores:
        raise user_error("no such model")

    decision = decide(scores(1, 1, 1, 1), scores(0, 0, 0, 0, around="other"), absent, CONFIG)
    assert not decision.moves
    assert "no such model" in decision.reason


def test_bounds_as_a_tag() -> None:
    assert bounds_text([]) == "kept"
    assert bounds_text([*BROKEN, BoundCheck("kl", None, 5.0, False)]) == (
        "defects 0.4 (at most 0.1); kl not measured (at most 5)"
    )


@settings(max_examples=25)
@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.lists(st.floats(-3, 3), min_size=4, max_size=4))
def test_at_most_one_of_two_beats_the_other(one: list[float], other: list[float]) -> None:
    forth, back = (
        decide(scores(*one), scores(*other), never, CONFIG),
        decide(scores(*other), scores(*one), never, CONFIG),
    )
    assert not (forth.moves and back.moves)


def test_scores_are_the_last_steps_of_the_arm_in_case_order() -> None:
    rows = [
        (arm, case, step, 10 * case + step)
        for arm in ("eagle_uniform", "anchor")
        for case in (1, 0)
        for step in (1, 0, 2)
    ]
    table = pd.DataFrame(rows, columns=["arm", "case", "step", "utility"]).assign(anchor="a", user="u", text="t")
    assert scores_of(table, eagle_arm("uniform", 2), "here").utility == [2.0, 12.0]


def test_scores_survive_their_file(tmp_path) -> None:
    scores(0.5, -1.25, 3, 0).save(tmp_path)
    assert CaseScores.load(tmp_path) == scores(0.5, -1.25, 3, 0)
