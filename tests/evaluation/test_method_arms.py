"""Further methods as arms: names that are taken, and the table of every text that was considered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from eagle.config import Config, parse_config
from eagle.core.errors import EagleError
from eagle.evaluation.arm import arms_of, search_of
from eagle.evaluation.method_arms import COLUMNS, MethodArms, candidates_table
from eagle.methods.search import Search
from eagle.testing.methods import FirstUnused, method_context


def test_methods_are_the_last_arms(tmp_path: Path) -> None:
    config = parse_config({"evaluate": {"methods": ["tests.end_to_end.own_method:BestOfTwo"]}})
    opened = MethodArms.open(config, replace(method_context(tmp_path), config=config))
    (last,) = opened.arms
    assert (last.name, last.kind, last.budget) == ("best_of_two", "method", config.evaluate.search.budget)
    assert arms_of(config, opened.arms)[-1] == last
    assert arms_of(config, opened.arms)[:-1] == arms_of(config)


def test_every_trained_policy_has_its_search_the_first_one_under_the_plain_name(tmp_path: Path) -> None:
    methods = {"evaluate": {"methods": ["search_random", "search_eagle"]}}
    for starts, names in {
        ("g_optimal",): ["search_random", "search_eagle"],
        ("g_optimal", "uniform"): ["search_random", "search_eagle", "search_eagle_uniform"],
    }.items():
        config = parse_config({**methods, "train": {"arms": list(starts)}})
        opened = MethodArms.open(config, replace(method_context(tmp_path), config=config))
        assert [arm.name for arm in opened.arms] == names
        assert [arm.start for arm in opened.arms[1:]] == list(starts)
        proposers = [method.agent.name for method in opened.methods[1:] if isinstance(method, Search)]
        assert proposers == [f"eagle_{start}_proposes" for start in starts]
        arms = arms_of(config, opened.arms)
        found = {arm.start: search_of(arm, arms) for arm in arms if arm.is_main}
        assert found == dict(zip(starts, opened.arms[1:], strict=True))


def test_a_method_of_ones_own_is_shown_under_its_label() -> None:
    searches = [Search(FirstUnused("any"), "mine"), Labelled(FirstUnused("any"), "own")]
    assert [arm.label for arm in MethodArms(searches, Config()).arms] == ["mine", "My own search"]


class Labelled(Search):
    label = "My own search"


def test_two_arms_of_one_name_are_refused_all_at_once(tmp_path: Path) -> None:
    own = "tests.end_to_end.own_method:BestOfTwo"
    config = parse_config({"evaluate": {"methods": ["search_random", own, own, "search_random"]}})
    with pytest.raises(EagleError, match="second arm of one name") as caught:
        MethodArms.open(config, method_context(tmp_path))
    assert [problem.found for problem in caught.value.problems] == ["best_of_two", "search_random"]


def test_every_text_that_was_considered_is_told() -> None:
    base = {"case": 0, "action": "Add a war.", "utility": 1.0, "preference": 0.5, "distance_bonus": 0.2}
    scored = pd.DataFrame(
        [
            {"arm": "random", "step": 0, "text": "anchor", **base},
            {"arm": "random", "step": 1, "text": "changed", **base},
            {"arm": "mine", "step": 0, "text": "anchor", **base},
            {"arm": "mine", "step": 1, "text": "better", **base},
        ]
    )
    considered = pd.DataFrame(
        [
            {"arm": "mine", "step": 1, "draw": 0, "text": "worse", "accepted": False, **base},
            {"arm": "mine", "step": 1, "draw": 1, "text": "better", "accepted": True, **base},
        ]
    )
    alone = candidates_table(scored, None)
    assert list(alone) == COLUMNS
    assert alone["text"].tolist() == ["changed", "better"]
    assert alone["accepted"].all()
    assert (alone["draw"] == 0).all()
    table = candidates_table(scored, considered)
    assert table[["arm", "draw", "text", "accepted"]].to_numpy().tolist() == [
        ["random", 0, "changed", True],
        ["mine", 0, "worse", False],
        ["mine", 1, "better", True],
    ]
    assert table["accepted"].dtype == bool
    assert (table["novelty"] == 0.2).all()
