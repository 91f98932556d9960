"""The honest word about an encoder, on planted ratings whose answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from eagle.latent.cold import ColdStart
from eagle.latent.ratings import Splits
from eagle.latent.verdict import verdict, verdict_line

USERS, ITEMS = [f"u{n}" for n in range(40)], [f"i{n}" for n in range(30)]


def cold(own: np.ndarray, popularity: np.ndarray, ratings: np.ndarray) -> ColdStart:
    """Everybody rated everything; the first 15 items are validation items, the others test items."""
    u, i = np.indices(ratings.shape).reshape(2, -1)
    table = pd.DataFrame({"user": np.array(USERS)[u], "item": np.array(ITEMS)[i], "rating": ratings.ravel()})
    items = pd.DataFrame({"item": ITEMS, "split": ["validation"] * 15 + ["test"] * 15})
    users = pd.DataFrame({"user": USERS, "split": "train"})
    splits = Splits(items, users, table.assign(part="fit"))
    return ColdStart(USERS, ITEMS, {"own": own, "popularity": popularity}, splits, 0)


@pytest.fixture
def taste() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(len(USERS), len(ITEMS)))


def test_an_encoder_that_knows_each_taste_beats_what_is_the_same_for_all(taste: np.ndarray) -> None:
    everybody = np.tile(taste.mean(axis=0), (len(USERS), 1))
    for found in cold(taste, everybody, taste).against_popularity("own").values():
        assert found["as in U"]["verdict"] == "beats popularity"
        assert found["as in U"]["auc"]["value"] == 1
        assert found["as in U"]["over_popularity"]["auc"]["low"] > 0.1


def test_an_encoder_that_knows_less_than_popularity_still_ranks(taste: np.ndarray) -> None:
    noise = np.random.default_rng(1).normal(size=taste.shape)
    found = cold(taste + 2 * noise, taste + 0.2 * noise, taste).against_popularity("own")["test"]["as in U"]
    assert found["verdict"] == "does not beat popularity, but ranks better than chance"
    assert found["over_popularity"]["auc"]["high"] < 0
    assert "does not beat popularity, but ranks better than chance" in verdict_line(found, "test items")


def test_a_guess_cannot_be_told_from_chance_even_where_popularity_is_wrong(taste: np.ndarray) -> None:
    guess = np.random.default_rng(2).normal(size=taste.shape)
    found = cold(guess, -taste, taste).against_popularity("own")["validation"]["as in U"]
    assert found["over_popularity"]["auc"]["low"] > 0
    assert found["verdict"] == "cannot be told from chance"
    assert "40 people with 2 ratings or more of them" in verdict_line(found, "validation items")
    assert verdict_line(found, "validation items").endswith("It cannot be told from chance.")


def test_a_recipe_is_judged_with_its_whole_bias_too(taste: np.ndarray) -> None:
    made = cold(taste, taste, taste)
    scores = {"two_stage, as in U": taste, "two_stage, with bias": -taste, "popularity": 0 * taste}
    found = ColdStart(USERS, ITEMS, scores, made.splits, 0).against_popularity("two_stage")["test"]
    assert {part: each["auc"]["value"] for part, each in found.items()} == {"as in U": 1, "with bias": 0}


def test_nobody_to_judge_is_said() -> None:
    nothing = {"value": None, "low": None, "high": None, "users": 0}
    found = {"auc": nothing, "over_popularity": {"auc": nothing}, "verdict": verdict(nothing, nothing)}
    assert found["verdict"] == "not measured"
    assert verdict_line(found, "test items").startswith("Too few test items")
