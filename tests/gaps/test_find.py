"""The best gaps, from trajectories and a latent space whose answers can be read off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from eagle.config import Config
from eagle.evaluation.arm import Arm, anchor_arm, eagle_arm, reference_arm
from eagle.evaluation.searches import method_arm
from eagle.gaps.find import best_per_anchor, find_gaps, usual_spacing
from eagle.latent.space import LatentSpace

EAGLE, LISTED, REFERENCE = eagle_arm("uniform", 2), eagle_arm("uniform", 2, "listed"), reference_arm("uniform", 2)
ARMS = (anchor_arm(), REFERENCE, EAGLE, LISTED)
TITLES, PROFILES = {"i0": "The farm", "i1": "The heist"}, {"u0": "Likes crime."}


def line(plot: str) -> str:
    return f"Genres: crime. Plot: {plot}."


OLD, NEW = line("An old farmer keeps his land against all odds"), line("A retired thief plans one last job")
BETTER, DEFECTIVE = line("A young judge hides a letter from her town"), line("a b c a b c a b c a b c")
KNOWN = line("A story that a film of the catalogue tells already")


def episode(
    arm: Arm, case: int, gain: float, text: str, place: float, user: str = "u0", start: float = 1.0
) -> list[dict[str, Any]]:
    """Two rows: the anchor at utility ``start`` and point (0, 0), and one change that ends at (place, 0)."""
    shared = {"arm": arm.name, "case": case, "anchor": f"i{case}", "user": user}
    shared |= {"user_preference": 0.6, "rater_preference": 0.5, "distance": 0.3}
    shared |= {"eligible": text != KNOWN}
    return [
        {**shared, "step": 0, "action": "", "text": OLD, "utility": start, "z": [0.0, 0.0]},
        {**shared, "step": 1, "action": "Add a thief.", "text": text, "utility": start + gain, "z": [place, 0.0]},
    ]


@pytest.fixture
def latent() -> LatentSpace:
    """Items on a line, one apart."""
    return LatentSpace(
        items=[f"i{n}" for n in range(4)],
        users=["u0", "u1"],
        item_vectors=np.array([[float(n), 0.0] for n in range(4)], dtype=np.float32),
        user_vectors=np.zeros((2, 2), dtype=np.float32),
        years={},
        train_items=np.ones(4, dtype=bool),
        train_users=np.ones(2, dtype=bool),
    )


def gaps(latent: LatentSpace, *episodes: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame([row for rows in episodes for row in rows])
    return find_gaps(table, ARMS, latent, TITLES, PROFILES)


def test_where_eagle_was_searched_with_the_gaps_are_what_its_search_kept(latent: LatentSpace) -> None:
    searched = method_arm("search_eagle", 8, Config())
    rows = episode(EAGLE, 0, 9.0, NEW, 0.5) + episode(searched, 0, 0.5, BETTER, 0.5)
    found = find_gaps(pd.DataFrame(rows), [*ARMS, searched], latent, TITLES, PROFILES)
    assert found["text"].tolist() == [BETTER]


def test_a_text_that_may_not_be_kept_is_no_gap(latent: LatentSpace) -> None:
    assert gaps(latent, episode(EAGLE, 0, 0.5, KNOWN, 1.25)).empty


def test_gains_of_trained_arms_are_ranked(latent: LatentSpace) -> None:
    found = gaps(
        latent,
        episode(REFERENCE, 0, 9.0, NEW, 0.5),
        episode(EAGLE, 0, 0.5, NEW, 1.25),
        episode(LISTED, 1, 0.75, BETTER, 3.5, user="u1"),
    )
    assert found[["rank", "arm", "gain", "anchor_utility", "utility"]].to_numpy().tolist() == [
        [1, "eagle_uniform_listed", 0.75, 1.0, 1.75],
        [2, "eagle_uniform", 0.5, 1.0, 1.5],
    ]
    second = found.iloc[1]
    assert (second["anchor_title"], second["profile"], second["actions"]) == (
        "The farm",
        "Likes crime.",
        ["Add a thief."],
    )
    assert (found.iloc[0]["anchor_title"], found.iloc[0]["profile"]) == ("The heist", "")


def test_a_text_below_the_users_average_item_is_no_gap_however_much_it_gains(latent: LatentSpace) -> None:
    below, above = episode(EAGLE, 0, 1.5, NEW, 1.25, start=-2.0), episode(EAGLE, 1, 0.5, BETTER, 1.25, start=-0.25)
    assert gaps(latent, below, above)["text"].tolist() == [BETTER]


def test_neighbours_and_novelty_are_those_of_the_last_point(latent: LatentSpace) -> None:
    gap = gaps(latent, episode(EAGLE, 0, 0.5, NEW, 1.25)).iloc[0]
    assert gap["nearest"] == ["i1", "i2", "i0"]
    assert gap["nearest_titles"] == ["The heist", "i2", "The farm"]
    assert gap["nearest_distances"] == pytest.approx([0.25, 0.75, 1.25])
    assert gap["novelty"] == pytest.approx(0.25)


@pytest.mark.parametrize(("gain", "text"), [(-0.1, NEW), (0.0, NEW), (0.5, OLD), (0.5, DEFECTIVE)])
def test_no_gain_no_change_and_defective_texts_are_no_gaps(latent: LatentSpace, gain: float, text: str) -> None:
    assert gaps(latent, episode(EAGLE, 0, gain, text, 1.0)).empty


def test_a_text_is_listed_once_for_its_best_user(latent: LatentSpace) -> None:
    found = gaps(latent, episode(EAGLE, 0, 0.5, NEW, 1.0), episode(EAGLE, 1, 0.9, NEW, 1.0, user="u1"))
    assert found["user"].tolist() == ["u1"]


def test_a_run_without_trained_arms_has_no_gaps(latent: LatentSpace) -> None:
    found = gaps(latent, episode(REFERENCE, 0, 0.5, NEW, 1.0))
    assert found.empty and "novelty" in found


def test_one_gap_per_anchor_at_most() -> None:
    table = pd.DataFrame({"anchor": ["a", "a", "b", "c"], "rank": [1, 2, 3, 4]})
    assert best_per_anchor(table, 2)["rank"].tolist() == [1, 3]


def test_the_usual_spacing_is_the_median_distance_to_the_nearest_other_item() -> None:
    assert usual_spacing(np.array([[0.0], [1.0], [3.0], [6.0]])) == pytest.approx(1.5)
    assert usual_spacing(np.zeros((3, 2))) == 1.0
