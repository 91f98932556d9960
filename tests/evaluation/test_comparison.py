"""Estimates per arm and the tables, from trajectories whose gains are known."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from eagle.config import Config
from eagle.evaluation import tables
from eagle.evaluation.arm import (
    Arm,
    anchor_arm,
    eagle_arm,
    elsewhere_arm,
    macro_arm,
    reference_arm,
    rule_arms,
)
from eagle.evaluation.comparison import ArmResult, Comparison
from eagle.evaluation.searches import method_arm
from eagle.methods.rollout import stopped_early
from eagle.stats.bootstrap import TwoWayBootstrap
from eagle.stats.intervals import NOTHING

SEARCH = Arm("search", "method", None, "free", "A made-up search", 12)
TEXT = "Genres: crime. Plot: A retired thief plans one last job in the harbour."


def trajectories(cases: pd.DataFrame, arm: Arm, gains: list[float], defects: int = 0) -> pd.DataFrame:
    """Utility of case c at step s is base(c) + gains[s]; the first ``defects`` cases fail at the last step."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=len(cases))
    rows = []
    for row in cases.itertuples():
        for step, gain in enumerate([0.0, *gains]):
            failed = step == len(gains) and int(row.case) < defects and step > 0
            rows.append(
                {
                    "arm": arm.name,
                    "case": row.case,
                    "anchor": row.anchor,
                    "user": row.user,
                    "step": step,
                    "action": f"Do thing number {step}." if step else "",
                    "text": TEXT if step else row.text,
                    "utility": base[int(row.case)] + gain,
                    "valid": not failed,
                    "cause": "no_genre_line" if failed else None,
                    "copied": False,
                    "seed": 0,
                    "duplicate": False,
                    "user_preference": 0.5 + gain / 10,
                    "user_choice": 0.5,
                    "rater_preference": 0.5,
                    "distance": 0.1 * step,
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture
def results(cases: pd.DataFrame) -> dict[str, ArmResult]:
    _, once, linear, *_ = rule_arms(2)
    eagle = eagle_arm("g_optimal", 2)
    arms = {
        anchor_arm(): [],
        linear: [0.2, 0.4],
        reference_arm("g_optimal", 2): [0.1, 0.1],
        eagle: [0.3, 0.7],
        eagle_arm("g_optimal", 2, "listed"): [-0.2, -0.5],
        SEARCH: [0.4, 0.9],
    }
    judged = pd.concat(
        [trajectories(cases, arm, gains, defects=3 if arm == eagle else 0) for arm, gains in arms.items()]
    )
    judged = pd.concat([judged, stopped_early(judged, linear.name, once.name, 1)])
    bootstrap = TwoWayBootstrap(cases["anchor"].tolist(), cases["user"].tolist(), 200, 0.95, 0)
    groups = {"anchors": np.where(cases["anchor"] < "i3", "low_rated", "high_rated")}
    found = Comparison([*arms, once], judged, cases, ["Do thing number 1."], groups, bootstrap, 0).results()
    return {result.arm.name: result for result in found}


def test_paired_gains_are_exact(results: dict[str, ArmResult]) -> None:
    eagle = results["eagle_g_optimal"].estimates
    assert eagle["gain_over_reference"].as_dict() == pytest.approx({"mean": 0.6, "low": 0.6, "high": 0.6})
    assert eagle["gain_over_linear"].mean == pytest.approx(0.3)
    assert eagle["gain_over_anchor"].mean == pytest.approx(0.7)
    assert eagle["utility"].high - eagle["utility"].low > 0.2
    assert results["linear_rule_once"].estimates["gain_over_linear"].mean == pytest.approx(-0.2)
    assert "gain_over_reference" not in results["linear_rule"].estimates


def test_the_advice_never_loses_to_the_anchor(results: dict[str, ArmResult]) -> None:
    worse = results["eagle_g_optimal_listed"].estimates
    assert worse["beats_anchor"].mean == 0
    assert worse["followed"].mean == pytest.approx(results["anchor"].estimates["utility"].mean)
    better = results["eagle_g_optimal"].estimates
    assert better["beats_anchor"].mean == 1
    assert better["followed"].mean == pytest.approx(better["utility"].mean)


def test_a_gain_with_more_defects_is_marked(results: dict[str, ArmResult]) -> None:
    assert results["eagle_g_optimal"].marked
    assert results["eagle_g_optimal"].behaviour["defects"] == pytest.approx(3 / 60)
    assert not results["eagle_g_optimal_listed"].marked
    assert not results["linear_rule"].marked


def test_groups_and_steps(results: dict[str, ArmResult]) -> None:
    eagle = results["eagle_g_optimal"]
    assert {label: e.cases for label, e in eagle.groups["anchors"].items()} == {"low_rated": 10, "high_rated": 20}
    assert [round(e.mean - eagle.utility_by_step[0].mean, 6) for e in eagle.utility_by_step] == [0, 0.3, 0.7]


def test_an_arm_that_no_module_knows_is_compared_like_any_other(results: dict[str, ArmResult]) -> None:
    search = results["search"]
    assert search.estimates["gain_over_linear"].mean == pytest.approx(0.5)
    assert "gain_over_reference" not in search.estimates and not search.marked
    assert "search" in tables.table2(list(results.values()))["arm"].tolist()
    assert tables.metrics([search], {})["search"]["beats_anchor"]["mean"] == 1


def test_arms_and_rows_have_to_agree(cases: pd.DataFrame) -> None:
    judged = trajectories(cases, anchor_arm(), [])
    bootstrap = TwoWayBootstrap(cases["anchor"].tolist(), cases["user"].tolist(), 10, 0.95, 0)
    with pytest.raises(ValueError, match="search"):
        Comparison([anchor_arm(), SEARCH], judged, cases, [], {}, bootstrap, 0)


def test_tables_have_the_papers_columns_and_say_what_was_not_run(results: dict[str, ArmResult]) -> None:
    rows = list(results.values())
    two = tables.table2(rows).set_index("arm")
    assert list(two.index) == list(results)
    assert two.loc["eagle_g_optimal", "more_defects_than_reference"]
    assert math.isnan(two.loc["anchor", "gain_over_reference"])
    four = tables.table4(rows, personalised=True).set_index("actions")["status"]
    assert four[four == "run"].index.tolist() == ["default: free text", "only actions of the list"]
    assert [row.split(" -S ")[-1] for row in four[four != "run"]] == [
        "actions.personalized_share=0",
        "evaluate.macro=true",
        "not run: an agent cannot be trained on several actions in one call",
    ]
    three = tables.table3(rows, "SmolLM2", None)
    assert three.loc[0, ["trained_in", "tested_in", "status"]].tolist() == ["SmolLM2", "SmolLM2", "run"]
    assert three.loc[1, "status"].startswith("not run: dvc exp run -S evaluate.other_temperature=0.5")


def test_other_conditions_fill_their_rows(results: dict[str, ArmResult]) -> None:
    own = results["eagle_g_optimal"]
    moved, joined = elsewhere_arm("g_optimal", 2), macro_arm("g_optimal")
    rows = [*results.values(), replace(own, arm=moved), replace(own, arm=joined)]
    three = tables.table3(rows, "here", "there")
    assert three["tested_in"].tolist() == ["here", "there"]
    assert three["status"].eq("run").all()
    assert three.loc[0, "utility"] == three.loc[1, "utility"]
    four = tables.table4(rows, personalised=False).set_index("actions")
    assert four.loc["macro", "arm"] == "macro_g_optimal"
    assert four.loc["without personalised", "utility"] == four.loc["macro", "utility"]
    assert four.loc["default: free text", "status"] == "not run: set actions.personalized_share above 0"


def test_the_headline_has_eagle_alone_and_as_search_and_no_other_arm(results: dict[str, ArmResult]) -> None:
    search = replace(results["eagle_g_optimal"], arm=method_arm("search_eagle", 8, Config()))
    rival = replace(results["eagle_g_optimal"], arm=method_arm("search_random", 8, Config()))
    found = tables.headline([*results.values(), search, rival])
    assert set(found) == {"eagle_g_optimal", "search_eagle"}
    own, whole = found["eagle_g_optimal"], tables.metrics(list(results.values()), {})["eagle_g_optimal"]
    assert own["gain"] == pytest.approx(whole["gain_over_anchor"]["mean"], abs=1e-4)
    assert own["gain_low"] <= own["gain"] <= own["gain_high"]
    assert len(own) <= 9


def test_the_headline_leaves_out_what_could_not_be_judged(results: dict[str, ArmResult]) -> None:
    eagle = results["eagle_g_optimal"]
    unjudged = replace(eagle, estimates={**eagle.estimates, "shelf_stars": NOTHING})
    (found,) = tables.headline([unjudged]).values()
    assert "hidden_stars" not in found
    assert "gain" in json.loads(json.dumps(found, allow_nan=False))


def test_the_headline_of_a_search_that_bettered_no_text_has_no_defects(results: dict[str, ArmResult]) -> None:
    stayed = replace(results["eagle_g_optimal"], behaviour={"words_kept": 1.0, "genres_named": 2.0})
    (found,) = tables.headline([stayed]).values()
    assert "defects" not in found
    assert "utility" in found


def test_metrics_are_plain_json_without_nan(results: dict[str, ArmResult]) -> None:
    written = json.loads(json.dumps(tables.metrics(list(results.values()), {"cases": 30}), allow_nan=False))
    assert written["eagle_g_optimal"]["gain_over_reference"]["low"] == pytest.approx(0.6)
    assert written["eagle_g_optimal"]["by_group"]["anchors"]["low_rated"]["cases"] == 10
    assert written["cases"] == 30
