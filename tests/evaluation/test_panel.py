"""The panel: shares nothing with the reward, and finds tastes that were put into its ratings."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from eagle.core.errors import EagleError
from eagle.evaluation.judges.judging import judge
from eagle.evaluation.judges.panel import Panel
from eagle.evaluation.judges.panel_check import check_panel
from eagle.stats.ranking import MIN_RATINGS

Rated = tuple[pd.DataFrame, dict[str, tuple[str, int | None]]]
CRIME = "Genres: crime. Plot: A thief and a detective hunt one murderer through the harbour."
ROMANCE = "Genres: romance. Plot: Two strangers fall in love at a summer wedding."


def test_imports_nothing_that_the_reward_uses() -> None:
    code = (
        "import sys, eagle.evaluation.judges.panel, eagle.evaluation.judges.panel_check, "
        "eagle.evaluation.judges.judging\n"
        "print([m for m in sys.modules if m.startswith(('eagle.latent', 'eagle.latent.utility', 'torch', "
        "'transformers'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_finds_the_tastes_that_made_the_ratings(rated: Rated) -> None:
    ratings, texts = rated
    panel = Panel.fit(ratings, texts)
    predicted = panel.matrix([CRIME, ROMANCE], [1990, 1990], ["u0", "u1"])
    assert predicted == pytest.approx(np.array([[4.5, 1.5], [1.5, 4.5]]), abs=0.7)  # texts of other words: shrunk
    assert panel.noise == pytest.approx(0.3, abs=0.15)


def test_an_unknown_user_is_the_average_rater(rated: Rated) -> None:
    ratings, texts = rated
    panel = Panel.fit(ratings, texts)
    average = panel.matrix([CRIME, ROMANCE], [1990, None], ["nobody"])
    assert average.ravel() == pytest.approx([3.0, 3.0], abs=0.4)


def test_preference_is_half_at_indifference_and_symmetric(rated: Rated) -> None:
    panel = Panel.fit(*rated)
    gains = np.array([-1.0, -0.2, 0.0, 0.2, 1.0])
    preferred = panel.prefers(gains)
    assert preferred[2] == pytest.approx(0.5)
    assert preferred + preferred[::-1] == pytest.approx(np.ones(5))
    assert (np.diff(preferred) > 0).all()


def test_the_check_sees_the_skill_and_that_it_is_personal(rated: Rated) -> None:
    check = check_panel(*rated, seed=0, resamples=200, confidence=0.95)
    assert check.auc.low > 0.65
    assert not check.near_chance()
    assert check.auc_average_rater.high < check.auc.low
    assert check.users == 40


def test_the_check_sees_chance(rated: Rated) -> None:
    """Ratings without any relation to texts: the interval of the AUC holds 0.5."""
    ratings, texts = rated
    noise = ratings.assign(rating=np.random.default_rng(1).integers(1, 6, len(ratings)))
    check = check_panel(noise, texts, seed=0, resamples=200, confidence=0.95)
    assert check.auc.low < 0.5 < check.auc.high
    assert check.near_chance()


def test_users_with_few_or_equal_ratings_are_not_ranked(rated: Rated) -> None:
    ratings, texts = rated
    few = pd.DataFrame([("few", f"m{n}", 1.0 + n % 5) for n in range(4)], columns=ratings.columns)
    equal = pd.DataFrame([("equal", f"m{n}", 3.0) for n in range(60)], columns=ratings.columns)
    many = [ratings, ratings.assign(user="v" + ratings["user"])]  # 80 people with enough of them
    found = check_panel(pd.concat([*many, few, equal]), texts, seed=0, resamples=20, confidence=0.95)
    assert (found.users, found.least_ratings) == (80, MIN_RATINGS)


def test_where_few_people_have_five_ratings_in_a_fold_fewer_are_enough(rated: Rated) -> None:
    ratings, texts = rated
    thin = ratings[ratings.groupby("user").cumcount() < 12]  # three in a fold
    found = check_panel(thin, texts, seed=0, resamples=20, confidence=0.95)
    assert (found.users, found.least_ratings) == (40, 2)


def test_no_rows_is_one_clear_error() -> None:
    with pytest.raises(EagleError, match="no rows to learn from"):
        Panel.fit(pd.DataFrame({"user": ["u"], "item": ["x"], "rating": [3.0]}), {"y": ("Genres: crime.", None)})


def test_judging_compares_each_text_with_its_anchor(rated: Rated) -> None:
    panel = Panel.fit(*rated)
    cases = pd.DataFrame({"case": [0, 1], "anchor": ["a", "a"], "user": ["u0", "u1"], "text": [ROMANCE] * 2})
    cases["year"] = pd.Series([1990, None], dtype=object)
    rows = pd.DataFrame({"case": [0, 0, 1], "user": ["u0", "u0", "u1"], "text": [ROMANCE, CRIME, CRIME]})
    judged = judge(rows, cases, panel, ["u1", "u2"])
    assert judged["user_preference"].tolist()[0] == 0.5
    assert judged["user_choice"].tolist() == [0.5, 1.0, 0.0]
    assert judged["user_preference"].iloc[1] > 0.95
    assert judged["distance"].tolist()[0] == 0
    assert 0.5 < judged["distance"].iloc[1] <= 1
    # other raters: u0 is asked about by u1 and u2 (who disagree), u1 by u2 alone (who likes crime, as u0 does)
    assert judged["rater_preference"].iloc[1] == pytest.approx(0.5, abs=0.1)
    assert judged["rater_preference"].iloc[2] > 0.95
    alone = judge(rows, cases, panel, ["u1"])
    assert np.isnan(alone["rater_preference"].iloc[2])
