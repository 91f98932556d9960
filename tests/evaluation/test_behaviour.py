"""Behaviour figures with answers known by construction."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from eagle.evaluation.behaviour import (
    behaviour,
    describe_steps,
    excess_mutual_information,
    mutual_information,
)
from eagle.evaluation.words import TextFeatures, words_kept

PLOT = "Genres: crime. Plot: A retired thief plans one last job in the harbour."


def test_words_kept() -> None:
    assert words_kept(PLOT, PLOT) == 1
    assert words_kept("Genres: crime. Plot: One two three.", "Genres: crime. Plot: One other word.") == pytest.approx(
        2 / 4
    )
    assert words_kept("Genres: .", PLOT) == 1


@pytest.mark.parametrize(
    ("anchor", "text", "kept"),
    [
        ("Genres: драма. Plot: Старый вор.", "Genres: драма. Plot: Старый друг.", 2 / 3),
        ("Genres: drame. Plot: Été léger.", "Genres: drame. Plot: Hiver léger.", 2 / 3),
        ("Genres: 戏剧. Plot: 老贼。", "Genres: 戏剧. Plot: 老人。", 3 / 4),  # each sign by itself
    ],
)
def test_words_of_any_script_are_kept_or_not(anchor: str, text: str, kept: float) -> None:
    assert words_kept(anchor, text) == pytest.approx(kept)


def test_mutual_information_of_known_tables() -> None:
    users, actions = np.repeat(list("abcd"), 6), np.repeat(list("wxyz"), 6)
    assert mutual_information(users, actions) == pytest.approx(math.log(4))
    assert mutual_information(users, np.array(["x"] * 24)) == pytest.approx(0)
    assert mutual_information(np.array([]), np.array([])) == 0


def test_excess_mutual_information_is_not_fooled_by_few_samples() -> None:
    rng = np.random.default_rng(0)
    users, actions = np.repeat(np.arange(16).astype(str), 12), rng.integers(0, 40, 192).astype(str)
    assert mutual_information(users, actions) > 0.8
    assert excess_mutual_information(users, actions, seed=0) < 0.1
    assert excess_mutual_information(users, users, seed=0) > 2


def test_distance_is_bounded_and_zero_for_the_same_words() -> None:
    features = TextFeatures.fit([PLOT, "Genres: romance. Plot: Two strangers fall in love."], [1990, None])
    other = "Genres: western. Plot: Robots invade Mars."
    found = features.distance([PLOT, PLOT, PLOT], [PLOT, other, "Genres: crime. Plot: A thief plans a job."])
    assert found[0] == 0
    assert found[1] == pytest.approx(1)
    assert 0 < found[2] < 1


def test_shares_of_an_arm() -> None:
    new = "Genres: crime, comedy. Plot: A retired robot plans one last wedding in space."
    steps = pd.DataFrame(
        {
            "case": [0, 0, 1, 1],
            "user": ["u", "u", "v", "v"],
            "step": [1, 2, 1, 2],
            "action": ["Add a robot.", "Add a robot.", "the the the", "Move it to space."],
            "before": [PLOT, new, PLOT, PLOT],
            "text": [new, new, PLOT, new],
            "valid": [True, True, False, True],
            "copied": [False, True, False, False],
            "duplicate": [False, True, False, False],
        }
    )
    described = describe_steps(steps, ["add a robot."])
    final = described[described["step"] == 2]
    found = behaviour(described, final, pd.Series({0: PLOT, 1: PLOT}), seed=0)
    assert (found["defects"], found["copies"], found["duplicates"], found["no_ops"]) == (0.25, 0.25, 0.25, 0.25)
    assert (found["distinct_actions"], found["valid_actions"], found["listed"], found["genres_named"]) == (
        3,
        0.75,
        0.5,
        2,
    )
    assert 0 < found["words_kept"] < 1
    assert set(behaviour(described[:0], final, pd.Series({0: PLOT, 1: PLOT}), seed=0)) == {"words_kept", "genres_named"}


def test_quality_is_that_of_answers_and_following_that_of_all_changes() -> None:
    steps = pd.DataFrame(
        {
            "case": [0, 0],
            "user": ["u", "u"],
            "step": [1, 2],
            "action": ["Add a robot.", "Add a cat."],
            "before": [PLOT, PLOT],
            "text": [PLOT, PLOT],
            "valid": [True, True],
            "copied": [False, False],
            "duplicate": [False, False],
            "broken": [True, False],
            "high_perplexity": [False, True],
            "off_action": [1.0, np.nan],
        }
    )
    found = behaviour(describe_steps(steps, []), steps[1:], pd.Series({0: PLOT}), seed=0)
    assert (found["broken"], found["high_perplexity"], found["off_action"]) == (0, 1, 1)
    assert "repeated_triple" not in found
