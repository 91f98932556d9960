"""Prompts and what counts as an action."""

from __future__ import annotations

import pandas as pd
import pytest

from eagle.actions.candidate_list import CandidateList, is_valid_action, unused
from eagle.core.errors import EagleError
from eagle.policies.prompt import policy_prompt


def test_prompt_names_profile_genres_and_used_actions() -> None:
    text = "Genres: crime, comedy. Plot: A thief retires."
    assert (
        policy_prompt("User likes a. Dislikes b.", text) == "User likes a. Dislikes b.\nGenres: crime, comedy.\nAction:"
    )
    assert (
        policy_prompt("P.", "no genres here", ("Add a robot.", "Add a war."))
        == "P.\nGenres: unknown.\nDone: Add a robot. Add a war.\nAction:"
    )


@pytest.mark.parametrize("text", ["Add a love story.", "Make the hero's brother a robot!", "Turn it into a film noir"])
def test_orders_are_valid(text: str) -> None:
    assert is_valid_action(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Robot.",
        "The hero is a robot.",
        "add a robot",
        "Genres: war",
        "Add a robot. Add a war.",
        "Why not a robot?",
        "Add " + "very " * 20 + "much.",
    ],
)
def test_other_texts_are_not(text: str) -> None:
    assert not is_valid_action(text)


def actions_table(origin: str = "seed") -> pd.DataFrame:
    rows = [
        {"anchor": a, "split": s, "action_index": i, "action": t, "origin": origin if i < 2 else "llm"}
        for a, s in (("1", "train"), ("2", "validation"))
        for i, t in enumerate(("Add a war.", "Add a robot.", f"Add item {a}."))
    ]
    return pd.DataFrame(rows[::-1])


def test_lists_by_anchor_and_the_shared_one_for_others() -> None:
    candidates = CandidateList.from_table(actions_table())
    assert candidates.of("2") == ("Add a war.", "Add a robot.", "Add item 2.")
    assert set(candidates.of("unseen")) == {"Add a war.", "Add a robot."}
    assert (candidates.anchors("train"), candidates.anchors("validation")) == (["1"], ["2"])


def test_no_shared_action_is_a_user_error() -> None:
    with pytest.raises(EagleError, match="shared"):
        CandidateList.from_table(actions_table(origin="llm"))


def test_unused_ignores_case_and_never_runs_dry() -> None:
    assert unused(["Add a war.", "Add a robot."], ["add a war."]) == ["Add a robot."]
    assert unused(["Add a war."], ["Add a war."]) == ["Add a war."]
