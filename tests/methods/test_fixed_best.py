"""The fixed best actions: known gains, no repetition."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from eagle.config import parse_config
from eagle.core.errors import EagleError
from eagle.evaluation.scoring import genre_line_only
from eagle.methods.built_in import fixed_best
from eagle.methods.fixed_best import FixedBest, action_gains
from eagle.testing.methods import method_context
from eagle.training.steps import CachedSteps


class Taste:
    """U of user a is the first coordinate, of user b minus it."""

    def matrix(self, z: np.ndarray, users: list[str]) -> np.ndarray:
        return z[:, :1] * np.array([[1.0 if user == "a" else -1.0 for user in users]])


STEPS = CachedSteps(
    vocabulary=("down", "far", "up"),
    action=np.array([0, 2, 2, 2, 1]),
    step=np.array([1, 1, 1, 1, 2]),
    anchor=np.array(["i", "i", "i", "j", "i"]),
    history=((), (), (), (), ("up",)),
    state_text=np.full(5, "before"),
    next_text=np.full(5, "after"),
    state_vector=np.zeros((5, 2)),
    next_vector=np.array([[-1.0, 0], [1, 0], [3, 0], [6, 0], [100, 0]]),
)


def test_gains_count_every_anchor_once_and_first_steps_only() -> None:
    gains = action_gains(STEPS, Taste(), ["up", "down", "far"], ["a", "b"])
    assert gains[:2].tolist() == [[4.0, -4.0], [-1.0, 1.0]]
    assert np.isneginf(gains[2]).all()


def test_every_user_gets_their_own_order_and_no_action_twice() -> None:
    agent = FixedBest.fit(STEPS, Taste(), SimpleNamespace(shared=("down", "up")), ["a", "b"])
    first = [SimpleNamespace(user="a", history=()), SimpleNamespace(user="b", history=())]
    then = [SimpleNamespace(user="a", history=("up",)), SimpleNamespace(user="b", history=("down",))]
    assert agent.act(first, [0, 0]) == ["up", "down"]
    assert agent.act(then, [0, 0]) == ["down", "up"]


def test_texts_of_anchors_that_are_evaluated_decide_nothing(tmp_path: Path) -> None:
    """Validation anchors have cached steps, too; those of training anchors are in the context already."""
    context = method_context(tmp_path)
    with pytest.raises(EagleError, match="does not exist"):
        fixed_best(context)  # reads the steps of all anchors, and there is no file
    validated = context.with_config(parse_config({"evaluate": {"split": "validation"}}))
    agent = fixed_best(validated).agent
    assert agent == FixedBest.fit(context.data.steps, context.data.utility, context.candidates, context.users)


@pytest.mark.parametrize(
    ("anchor", "text", "expected"),
    [
        (
            "Genres: war. Plot: Old plot.",
            "Genres: crime, comedy. Plot: New plot.",
            "Genres: crime, comedy. Plot: Old plot.",
        ),
        ("Genres: war.", "Genres: crime. Plot: New plot.", "Genres: crime."),
    ],
)
def test_genre_line_only(anchor: str, text: str, expected: str) -> None:
    assert genre_line_only(anchor, text) == expected
