"""Sentences: what is said about figures that are known."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from eagle.config import BoundsConfig
from eagle.domains.text import Fields
from eagle.evaluation.arm import Arm, eagle_arm
from eagle.evaluation.bounds import BoundCheck
from eagle.report.words import (
    FIGURES,
    bounds_sentence,
    budget_sentence,
    compared,
    encoder_warning,
    environment_sentences,
    interval,
    limits,
    number,
    panel_sentence,
    verdicts,
)

EAGLE = eagle_arm("g_optimal", 3)


def estimate(mean: float, low: float, high: float) -> dict[str, float]:
    return {"mean": mean, "low": low, "high": high}


def test_numbers_for_people() -> None:
    assert [number(v) for v in (None, float("nan"), -0.001, -1.234, 2)] == ["–", "–", "0.00", "−1.23", "2.00"]
    assert number(0.5, sign=True) == "+0.50"
    assert interval({"mean": 1.0, "low": -0.5, "high": 2.0}) == "+1.00 [−0.50, +2.00]"
    assert interval(None) == interval({"mean": None, "low": None, "high": None}) == "–"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.1, 0.2, "ahead"), (-0.2, -0.1, "behind"), (-0.1, 0.1, "cannot be told apart"), (None, None, "not measured")],
)
def test_compared(low: float | None, high: float | None, said: str) -> None:
    assert compared({"mean": 0.0, "low": low, "high": high}) == said


@pytest.mark.parametrize("noun", ["film", "garment"])
def test_verdicts_name_arm_numbers_and_what_the_catalogue_holds(noun: str) -> None:
    figures: dict[str, Any] = {
        "gain_over_reference": estimate(0.5, 0.4, 0.6),
        "gain_over_linear": estimate(-0.2, -0.3, -0.1),
        "beats_anchor": estimate(0.75, 0.7, 0.8),
        "followed": estimate(1.0, 0.9, 1.1),
        "more_defects_than_reference": 1,
    }
    metrics = {EAGLE.name: figures, "anchor": {"utility": estimate(0.1, 0.0, 0.2)}}
    assert verdicts(metrics, [EAGLE], noun) == [
        "EAGLE, G-optimal, asked once for each change: It learned. Against the policy it started from it gains +0.50 "
        f"[+0.40, +0.60] standard deviations of utility, on {noun}s and users it never saw.",
        "It is behind the simple linear rule with as many changes (difference −0.20 [−0.30, −0.10]).",
        "It leaves more defective texts than its reference: read any gain with care.",
        f"In 75% of the cases its text beats the existing {noun}. Offering it only there would bring mean utility from "
        "0.10 to 1.00 [0.90, 1.10].",
    ]


def test_an_arm_without_a_reference_is_not_said_to_have_learned() -> None:
    search = Arm("search", "method", None, "free", "A made-up search", 12)
    figures = {"beats_anchor": estimate(0.5, 0.4, 0.6), "followed": estimate(1.0, 0.9, 1.1)}
    first, *_ = verdicts({"search": figures, "anchor": {"utility": estimate(0, 0, 0)}}, [search], "film")
    assert first.startswith("A made-up search, asked once for each change: No gain was measured.")


def test_every_figure_with_a_bound_has_a_name() -> None:
    assert set(FIGURES) == set(BoundsConfig.model_fields)


def test_bounds_are_said_with_all_figures_or_those_outside() -> None:
    kept = [BoundCheck("distinct_actions", 9.0, 4.0, True), BoundCheck("kl", 1.5, 5.0, True)]
    broken = [BoundCheck("defects", 0.4, 0.1, False), BoundCheck("copies", None, 0.1, False)]
    assert bounds_sentence(EAGLE, kept) == (
        "EAGLE, G-optimal keeps all its bounds: different actions 9 (at least 4); KL to the reference 1.5 (at most 5)."
    )
    assert bounds_sentence(EAGLE, [*kept, *broken]) == (
        "EAGLE, G-optimal is outside its bounds, so read its gain with care: defects 0.4 (at most 0.1); "
        "copies not measured (at most 0.1)."
    )


def test_a_panel_near_chance_is_not_believed() -> None:
    panel = {"auc": estimate(0.6, 0.58, 0.62), "auc_average_rater": estimate(0.55, 0.5, 0.6), "near_chance": False}
    assert "rightly with probability 0.60 [0.58, 0.62]" in panel_sentence(panel)
    assert "mean nothing in this run" in panel_sentence(panel | {"near_chance": True})
    unjudged = {"mean": None, "low": None, "high": None}
    said = panel_sentence({"auc": unjudged, "auc_average_rater": unjudged, "near_chance": True})
    assert said.startswith("Too few people")
    assert "chance" not in said


def test_equal_budgets_in_one_sentence() -> None:
    rows = [
        ("search_eagle", 2, "utility_gain", 1.0, 0.8, 1.2),
        ("search_eagle", 8, "utility_gain", 1.5, 1.2, 1.8),
        ("search_eagle", 8, "utility_gain_over_search_random", 0.5, 0.3, 0.7),
        ("search_eagle", 8, "shelf_stars", 0.06, 0.01, 0.11),
        ("search_random", 8, "utility_gain", 1.0, 0.8, 1.2),
    ]
    table = pd.DataFrame(rows, columns=["arm", "budget", "metric", "mean", "low", "high"])
    said = budget_sentence(table)
    assert said == (
        "EAGLE, best of 8 texts of one change: +1.50 [+1.20, +1.80] SD of U over the anchor; over random actions +0.50 "
        "[+0.30, +0.70]. "
        "Real ratings of hidden items: +0.06 [+0.01, +0.11] stars."
    )
    nobody = table.assign(mean=table["mean"].where(table["metric"] != "shelf_stars"))
    assert budget_sentence(nobody).endswith("has enough hidden ratings to confirm it by real ratings.")
    assert budget_sentence(table.iloc[-1:]) == budget_sentence(table.iloc[:0]) == ""


def test_an_adapted_environment_is_named_where_one_was_tried() -> None:
    assert environment_sentences(None) == []
    assert environment_sentences({"adapted": False, "reasons": ["environment.adapt is false"], "tried": {}}) == []
    lost = environment_sentences({"adapted": False, "reasons": ["one", "two"], "tried": {"whole": 0.5}})
    assert lost == ["An environment adapted to this catalogue was tried and not kept (validation items: one; two)."]
    (kept,) = environment_sentences({"adapted": True, "reasons": ["better"], "tried": {"whole": 0.9}})
    assert kept.startswith("The texts were written by a model that was adapted to this catalogue")


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("beats popularity", None),
        (
            "does not beat popularity, but ranks better than chance",
            "Read U, and all that rests on it, with care.",
        ),
        ("cannot be told from chance", "means anything for this catalogue"),
    ],
)
def test_a_report_warns_of_an_encoder_that_popularity_beats(verdict: str, said: str | None) -> None:
    auc, ahead = (
        {"value": 0.55, "low": 0.52, "high": 0.58, "users": 1400},
        {"value": -0.04, "low": -0.06, "high": -0.02},
    )
    found = {"auc": auc, "over_popularity": {"auc": ahead}, "least_ratings": 2, "verdict": verdict}
    warning = encoder_warning({"against_popularity": {"test": {"as in U": found}, "validation": {}}})
    if said is None:
        assert warning == ""
    else:
        assert said in warning
        assert "On test items and 1,400 people with 2 ratings or more of them" in warning
        assert "0.550 [0.520, 0.580]" in warning
        assert "-0.040 [-0.060, -0.020]" in warning


def test_a_report_of_a_run_that_did_not_measure_it_says_nothing() -> None:
    assert encoder_warning(None) == encoder_warning({"cold": {}}) == ""


def test_the_limits_speak_of_the_catalogues_own_fields() -> None:
    games = " ".join(limits(Fields("Categories", "Description")))
    assert "through the categories" in games and "name categories and sketch a description" in games
    assert "enre" not in games and "plot" not in games
    plain = " ".join(limits(Fields().without_labels()))
    assert "It can be gamed." in plain and "They sketch a plot" in plain
