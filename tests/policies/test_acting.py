"""The rule that training and agents share: draw again, take what was not used, know what may take its place."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from eagle.core.errors import EagleError
from eagle.policies.acting import ActingRule, draw_until_taken, observed_prompt

LISTED = ("Add a war.", "Add a robot.", "Add a dog.")


def seen(*history: str) -> Any:
    return SimpleNamespace(case=0, anchor="x", user="u", step=len(history), text="Genres: war.", history=history)


def test_only_rows_that_are_left_are_drawn_again() -> None:
    asked: list[tuple[list[int], int]] = []

    def draw(left: list[int], number: int) -> dict[int, str]:
        asked.append((left, number))
        return {row: f"{row} in round {number}" for row in left if row <= number}

    assert draw_until_taken(4, range(3), draw) == {0: "0 in round 0", 1: "1 in round 1", 2: "2 in round 2"}
    assert asked == [([0, 1, 2, 3], 0), ([1, 2, 3], 1), ([2, 3], 2)]
    assert draw_until_taken(1, range(9), draw) == {0: "0 in round 0"}
    assert len(asked) == 4  # nothing is left after the first round


def test_what_was_used_is_neither_taken_nor_put_in_its_place() -> None:
    rule = ActingRule(lambda _: "Action:", lambda _: LISTED, repeat=False)
    assert not rule.may_take("add a WAR", seen("Add a war."))
    assert rule.may_take("Add a cat.", seen("Add a war."))
    assert rule.options(seen("Add a war.")) == ["Add a robot.", "Add a dog."]
    assert rule.options(seen(*LISTED)) == list(LISTED)  # where every one was used, all may come again
    again = ActingRule(lambda _: "Action:", lambda _: LISTED, repeat=True)
    assert again.may_take("Add a war.", seen("Add a war."))
    assert again.options(seen("Add a war.")) == list(LISTED)


def test_the_prompt_names_user_state_and_last_actions() -> None:
    profiles = {"u": "User likes war."}
    assert observed_prompt(profiles, seen(*LISTED), 2, repeat=False) == (
        "User likes war.\nGenres: war.\nDone: Add a robot. Add a dog.\nAction:"
    )
    with pytest.raises(EagleError, match="unknown user"):
        observed_prompt({}, seen(), 2, repeat=False)
