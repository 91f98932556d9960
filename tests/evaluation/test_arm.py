"""The list of a run's arms: names, order, labels, and their file."""

from __future__ import annotations

from pathlib import Path

import pytest

from eagle.config import Config
from eagle.core.artifacts import write_json
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.evaluation.arm import (
    Arm,
    anchor_arm,
    arms_of,
    belongs_to,
    load_arms,
    macro_arm,
    reference_of,
    write_arms,
)
from eagle.evaluation.searches import label_at_budgets, means_over_seeds, method_arm, searches

SEARCH = Arm("search", "method", None, "free", "A made-up search", 12)
EVERYTHING = Config(
    evaluate={"listed_arms": True, "macro": True, "other_temperature": 0.5, "horizon": 3},  # type: ignore[arg-type]
    train={"arms": ["g_optimal", "uniform"]},  # type: ignore[arg-type]
)


def test_the_default_run_has_its_arms_in_the_order_of_the_tables() -> None:
    assert [(arm.name, arm.kind, arm.label) for arm in arms_of(Config())] == [
        ("anchor", "anchor", "Anchor (unchanged)"),
        ("random", "rule", "Random actions"),
        ("linear_rule_once", "rule", "Linear rule, one change"),
        ("linear_rule", "rule", "Linear rule, H changes"),
        ("softmax_policy", "rule", "Softmax policy"),
        ("fixed_best", "rule", "Best fixed actions (oracle)"),
        ("reference_uniform", "reference", "Reference, uniform"),
        ("reference_optimistic", "reference", "Reference, optimistic"),
        ("reference_g_optimal", "reference", "Reference, G-optimal"),
        ("eagle_g_optimal", "eagle", "EAGLE, G-optimal"),
    ]


def test_conditions_and_methods_come_last() -> None:
    arms = arms_of(EVERYTHING, [SEARCH])
    assert [(arm.name, arm.label) for arm in arms if arm.start == "g_optimal"] == [
        ("reference_g_optimal", "Reference, G-optimal"),
        ("eagle_g_optimal", "EAGLE, G-optimal"),
        ("eagle_g_optimal_listed", "EAGLE, G-optimal, listed only"),
        ("elsewhere_g_optimal", "EAGLE, G-optimal, other environment"),
        ("macro_g_optimal", "EAGLE, G-optimal, all actions at once"),
    ]
    assert [arm.kind for arm in arms[-5:]] == ["elsewhere", "macro", "elsewhere", "macro", "method"]
    assert len({arm.name for arm in arms}) == len(arms)


def test_searches_are_called_after_who_proposes() -> None:
    names = ("search_eagle", "search_eagle_uniform", "search_random")
    assert [method_arm(name, 8, EVERYTHING) for name in names] == [
        Arm("search_eagle", "search", "g_optimal", "listed", "EAGLE, best of 8", 8),
        Arm("search_eagle_uniform", "search", "uniform", "listed", "EAGLE, uniform, best of 8", 8),
        Arm("search_random", "search", None, "listed", "Random actions, best of 8", 8),
    ]
    labels = [label_at_budgets(name, arms_of(EVERYTHING)) for name in (*names, "best_of_two")]
    assert labels == ["EAGLE", "EAGLE, uniform", "Random actions", "best of two"]


SEEDS = Config(
    reference={"names": ["g_optimal", "g_optimal_seed8", "uniform"]},  # type: ignore[arg-type]
    train={"arms": ["g_optimal", "g_optimal_seed8", "uniform"]},  # type: ignore[arg-type]
)


def test_the_same_agent_with_another_seed_is_an_arm_with_its_own_searches_and_label() -> None:
    arms = arms_of(SEEDS)
    assert [arm.label for arm in arms if arm.is_main] == [
        "EAGLE, G-optimal",
        "EAGLE, G-optimal, seed 8",
        "EAGLE, uniform",
    ]
    eagle, reference = searches("search_eagle", SEEDS), searches("search_reference", SEEDS)
    assert list(eagle) == ["search_eagle", "search_eagle_g_optimal_seed8", "search_eagle_uniform"]
    assert list(reference) == ["search_reference", "search_reference_g_optimal_seed8"]
    assert searches("search_random", SEEDS) == {}
    assert [label_at_budgets(name, arms) for name in (*eagle, *reference)] == [
        "EAGLE",
        "EAGLE, G-optimal, seed 8",
        "EAGLE, uniform",
        "Reference",
        "Reference, G-optimal, seed 8",
    ]
    further = method_arm("search_reference_g_optimal_seed8", 8, SEEDS)
    assert (further.kind, further.start, further.label) == (
        "search",
        None,
        "Reference, G-optimal, seed 8, best of 8",
    )


def test_means_are_over_seeds_of_the_first_agent_and_there_are_none_of_one() -> None:
    assert means_over_seeds(SEEDS) == {
        "search_eagle_mean": ["search_eagle", "search_eagle_g_optimal_seed8"],
        "search_reference_mean": ["search_reference", "search_reference_g_optimal_seed8"],
    }
    assert label_at_budgets("search_eagle_mean", arms_of(SEEDS)) == "EAGLE, mean over seeds"
    assert means_over_seeds(EVERYTHING) == {}
    assert means_over_seeds(Config()) == {}


def test_budgets_are_texts_of_the_environment() -> None:
    budgets = {arm.name: arm.budget for arm in arms_of(EVERYTHING)}
    assert {name: budgets[name] for name in ("anchor", "linear_rule_once", "macro_uniform", "linear_rule")} == {
        "anchor": 0,
        "linear_rule_once": 1,
        "macro_uniform": 1,
        "linear_rule": 3,
    }


def test_trained_arms_know_where_they_started_and_what_they_learned() -> None:
    arms = arms_of(EVERYTHING)
    starts = {arm.name: found.name for arm in arms if (found := reference_of(arm, arms))}
    assert starts == {
        "eagle_g_optimal": "reference_g_optimal",
        "eagle_g_optimal_listed": "reference_g_optimal",
        "eagle_uniform": "reference_uniform",
        "eagle_uniform_listed": "reference_uniform",
    }
    assert [arm.curve for arm in arms if arm.is_main] == ["train_g_optimal", "train_uniform"]
    assert next(arm.curve for arm in arms if arm.kind == "reference") == "reference_uniform"
    assert {arm.curve for arm in arms if arm.kind in ("rule", "macro", "elsewhere") or arm.mode == "listed"} == {None}


def test_records_survive_their_file(tmp_path: Path) -> None:
    arms = (anchor_arm(), macro_arm("uniform"), SEARCH)
    write_arms(Project(tmp_path), arms)
    assert load_arms(Project(tmp_path)) == arms


def test_another_form_of_the_file_is_a_clear_error(tmp_path: Path) -> None:
    project = Project(tmp_path)
    with pytest.raises(EagleError, match="does not exist"):
        load_arms(project)
    write_json(project.arms, {"version": 0, "arms": []})
    with pytest.raises(EagleError, match="dvc repro"):
        load_arms(project)


def test_a_stage_belongs_to_the_arms_that_it_made() -> None:
    arms = arms_of(Config())
    assert belongs_to("evaluate", arms)
    assert belongs_to("train@g_optimal", arms)
    assert belongs_to("reference@uniform", arms)
    assert not belongs_to("train@uniform", arms)
    assert not belongs_to("gone@uniform", arms)
