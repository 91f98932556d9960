"""The hidden shelf: it finds likings that were put into real ratings, and says so where there are none."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from eagle.evaluation.judges.base import Judge, JudgeData
from eagle.evaluation.judges.shelf import HiddenShelf
from eagle.evaluation.judges.shelf_ratings import ENOUGH, FEWEST, HiddenRatings, Shelf
from eagle.evaluation.judges.shelf_texts import WordsAndGenres, kernel
from eagle.evaluation.stage import hidden_ratings
from eagle.testing.judges import JudgeContract
from eagle.testing.worlds import WORDS, tell

USERS = tuple(f"u{n}" for n in range(40))
FOND = {user: 1.0 if n % 2 else -1.0 for n, user in enumerate(USERS)}
"""Of robots: half of all users would add a star to a film with one, the others take one off."""
NEWCOMER = "v0"


def world(liking: str, seed: int = 3) -> JudgeData:
    """Ratings 3 + liking + noise of 120 comedies, each with one of four words; every film is hidden.

    ``liking``: "own" as in FOND, "all" where everybody is fond of robots, "none" where nothing matters.
    """
    rng = np.random.default_rng(seed)
    texts: dict[str, tuple[str, int | None]] = {f"i{n}": (tell(["comedy"], WORDS[n % 4]), None) for n in range(120)}
    rows = []
    for user, item in itertools.product(USERS, texts):
        robot = 1.0 if "robot" in texts[item][0] else 0.0
        liked = {"own": FOND[user], "all": 1.0, "none": 0.0}[liking] * robot
        if rng.random() < 0.6:
            rows.append((user, item, 3 + liked + 0.2 * rng.normal()))
    rows += [(NEWCOMER, f"i{n}", 3.0) for n in range(ENOUGH - 1)]
    ratings = pd.DataFrame(rows, columns=["user", "item", "rating"])
    splits = {item: ("validation", "test")[n // 4 % 2] for n, item in enumerate(texts)}
    anchors = [("i0", "u0"), ("i0", "u1"), ("i4", "u0"), ("i4", "u1"), ("i0", NEWCOMER)]
    cases = pd.DataFrame(anchors, columns=["anchor", "user"]).assign(case=range(5), year=None)
    cases["text"] = [texts[anchor][0] for anchor in cases["anchor"]]
    hidden = ratings.assign(split=ratings["item"].map(splits))
    return JudgeData(ratings.head(0), texts, USERS[:20], 7, 200, 0.95, hidden, cases)


def judged(data: JudgeData, text: str) -> tuple[HiddenShelf, pd.DataFrame]:
    shelf = HiddenShelf.fit(data)
    return shelf, shelf.judge(data.cases[["case", "user"]].assign(text=text), data.cases)


ROBOT = tell(["comedy"], "robot")


class TestHiddenShelf(JudgeContract):
    @pytest.fixture
    def judge_class(self) -> type[Judge]:
        return HiddenShelf


def test_imports_nothing_that_the_reward_uses() -> None:
    code = (
        "import sys, eagle.evaluation.judges.shelf, eagle.evaluation.confirmed\n"
        "print([m for m in sys.modules if m.startswith(('eagle.latent', 'torch', 'transformers'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_liking_for_a_word_is_seen_in_stars_and_is_personal() -> None:
    shelf, found = judged(world("own"), ROBOT)
    stars = found["shelf_stars"].to_numpy()
    assert stars[[1, 3]] == pytest.approx([1.0, 1.0], abs=0.25)  # u1 is fond of robots
    assert stars[[0, 2]] == pytest.approx([-1.0, -1.0], abs=0.25)
    assert found["shelf_personal"].to_numpy()[:4] == pytest.approx(stars[:4], abs=0.25)
    check = shelf.found
    assert not check["near_chance"]
    assert check["total"]["correlation"]["low"] > 0.5  # type: ignore[index]
    assert check["total"]["behind_one"]["mean"] == pytest.approx(1.0, abs=0.15)  # type: ignore[index]
    assert (check["users"], check["raters"], check["items"]) == (40, 20, "test")
    assert 0 < check["smallest_seen"]["cases"] < math.inf  # type: ignore[index]


def test_what_everybody_likes_is_no_personal_gain() -> None:
    _, found = judged(world("all"), ROBOT)
    assert found["shelf_stars"].to_numpy()[:4] == pytest.approx(np.ones(4), abs=0.25)
    assert found["shelf_personal"].to_numpy()[:4] == pytest.approx(np.zeros(4), abs=0.25)


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_shuffled_ratings_tell_nothing_and_it_says_so(seed: int) -> None:
    data = world("own", seed)
    rng = np.random.default_rng(seed)
    shuffled = data.hidden.groupby("user")["rating"].transform(lambda stars: rng.permutation(stars.to_numpy()))
    check = HiddenShelf.fit(replace(data, hidden=data.hidden.assign(rating=shuffled))).found
    correlation = check["total"]["correlation"]  # type: ignore[index]
    assert correlation["low"] < 0 < correlation["high"]
    assert check["near_chance"]


def test_random_ratings_foretell_exactly_nothing() -> None:
    """Over all orders of a user's ratings: what is said of an item and its own rating have no covariance."""
    weights = np.exp(2 * np.random.default_rng(0).random((4, 4)))
    total = 0.0
    for order in itertools.permutations([1.0, 2.0, 4.0, 5.0]):
        ratings = np.array(order)
        shelf = Shelf(sparse.csr_array(ratings[None, :]), sparse.csr_array(np.ones((1, 4))))
        total += float((ratings - 3) @ shelf.near(weights, np.arange(4))[:, 0])
    assert total == pytest.approx(0.0, abs=1e-9)


def test_the_anchor_is_not_on_its_own_shelf() -> None:
    data = world("own")
    shelf = HiddenShelf.fit(data)
    changed = data.hidden.assign(rating=data.hidden["rating"].where(data.hidden["item"] != "i0", 0.5))
    other = replace(shelf, hidden=HiddenRatings.of(changed, data.texts, data.raters))
    steps = data.cases[["case", "user"]].assign(text=ROBOT)
    before, after = (one.judge(steps, data.cases)["shelf_stars"].to_numpy() for one in (shelf, other))
    assert after[:2] == pytest.approx(before[:2], abs=1e-9)  # cases of anchor i0
    assert np.abs(after[2:4] - before[2:4]).max() > 0.01


def test_a_user_with_too_few_hidden_ratings_has_no_judgement() -> None:
    shelf, found = judged(world("own"), ROBOT)
    assert found.iloc[4].isna().all() and found.iloc[:4].notna().all(axis=None)
    assert np.isnan(shelf.matrix([ROBOT], [NEWCOMER, "nobody"])).all()


@pytest.mark.parametrize(("half", "least"), [(2, FEWEST), (9, 9), (40, ENOUGH)])
def test_where_most_people_have_few_hidden_ratings_fewer_are_enough(half: int, least: int) -> None:
    data = world("own")
    few = data.hidden[data.hidden.groupby("user").cumcount() < half]
    shelf = HiddenShelf.fit(replace(data, hidden=few))
    assert shelf.found["least_ratings"] == least
    listened_to = np.isfinite(shelf.matrix([ROBOT], USERS)[0])
    assert listened_to.all() if half >= least else not listened_to.any()


def test_pairs_are_judged_as_the_matrix_says_whatever_is_beside_them() -> None:
    data = world("own")
    shelf, found = judged(data, ROBOT)
    texts = [ROBOT, data.texts["i4"][0]]
    together = shelf.matrix(texts, USERS[:2], apart=["i4", "i4"])
    assert found["shelf_stars"].to_numpy()[2:4] == pytest.approx(together[0] - together[1], abs=1e-9)
    alone = np.concatenate([shelf.matrix([text], USERS[:2], apart=["i4"]) for text in texts])
    assert together == pytest.approx(alone, abs=1e-9)


def test_nothing_on_the_shelf_gives_no_judgement_and_no_error() -> None:
    data = world("own")
    shelf, found = judged(replace(data, hidden=data.hidden.head(0)), ROBOT)
    assert found.isna().all(axis=None)
    assert (shelf.found["users"], shelf.found["near_chance"]) == (0, True)


def test_the_very_same_text_weighs_most() -> None:
    texts = [tell(["crime", "war"], "robot"), tell(["crime"], "robot"), tell(["comedy"], "clown")]
    directions = WordsAndGenres.fit(texts).directions(texts)
    weights = kernel(directions, directions, 0.2)
    assert np.diag(weights) == pytest.approx(np.ones(3))
    assert weights[0, 1] > weights[0, 2]


def test_no_test_item_is_on_the_shelf_while_validation_is_evaluated() -> None:
    ratings = pd.DataFrame({"user": ["u"] * 3, "item": ["a", "b", "c"], "rating": [1.0, 2, 3], "part": "fit"})
    items = pd.DataFrame({"item": ["a", "b", "c"], "split": ["train", "validation", "test"]})
    assert hidden_ratings(ratings, items, "validation")["item"].tolist() == ["b"]
    assert hidden_ratings(ratings, items, "test")[["item", "split"]].to_numpy().tolist() == [
        ["b", "validation"],
        ["c", "test"],
    ]
