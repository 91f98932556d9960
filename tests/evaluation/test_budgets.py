"""Equal budgets: smaller ones are read off one run, and nobody wins with a text that may not be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eagle.compute.sharding import ShardCache
from eagle.compute.workers import InProcess
from eagle.config import parse_config
from eagle.environment.branching import BranchingEnvironment
from eagle.environment.sharded import ShardedRewriter
from eagle.environment.steering import Case, Observation
from eagle.evaluation.budget_table import BudgetTable
from eagle.evaluation.budgets import answers_at, budgets_up_to, run_budgets, valued
from eagle.evaluation.cases import HeldOut
from eagle.latent.text_utility import TextUtility
from eagle.methods.base import Seeds, Trajectory
from eagle.methods.context import MethodContext
from eagle.methods.running import candidate_rows, run_method
from eagle.methods.search import Search
from eagle.stats.bootstrap import TwoWayBootstrap
from eagle.testing.methods import ACTIONS, USERS, GenreCounts, PlantedWriter, method_context, tell

CASES = pd.DataFrame(
    {"case": [4, 5], "anchor": ["i0", "i1"], "user": ["u0", "u1"], "text": ["first anchor", "second anchor"]}
)


def candidates(rows: list[tuple[int, int, str, float, bool, bool]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["case", "order", "text", "utility", "new", "whole"])
    return table.assign(arm="search", step=1, action="Do.", valid=True)


def test_budgets_double_up_to_the_largest() -> None:
    assert budgets_up_to(0) == []
    assert budgets_up_to(1) == [1]
    assert budgets_up_to(8) == [1, 2, 4, 8]
    assert budgets_up_to(12) == [1, 2, 4, 8, 12]


def test_the_answer_is_the_best_whole_and_new_text_among_the_first() -> None:
    table = candidates(
        [
            (4, 0, "plain", 0.1, True, True),
            (4, 1, "broken", 9.0, True, False),
            (4, 2, "copied", 8.0, False, True),
            (4, 3, "good", 1.0, True, True),
            (5, 0, "no", 5.0, False, False),
        ]
    )
    assert answers_at(table, CASES, 1)["text"].tolist() == ["plain", "second anchor"]
    found = answers_at(table, CASES, 4)
    assert found["text"].tolist() == ["good", "second anchor"]
    assert found["found"].tolist() == [True, False]


@given(st.lists(st.tuples(st.floats(-3, 3), st.booleans(), st.booleans()), min_size=1, max_size=16))
def test_more_budget_never_wins_less(drawn: list[tuple[float, bool, bool]]) -> None:
    table = candidates([(4, n, f"text {n}", u, new, whole) for n, (u, new, whole) in enumerate(drawn)])
    worth = {f"text {n}": u for n, (u, _, _) in enumerate(drawn)}
    found = [answers_at(table, CASES, budget).iloc[0] for budget in budgets_up_to(16)]
    kept = [worth[one["text"]] for one in found if one["found"]]
    assert kept == sorted(kept)


@pytest.mark.parametrize("budget", [1, 2, 5])
def test_reading_a_budget_off_is_running_at_it(budget: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    context = method_context(tmp_path_factory.mktemp("budgets"))
    cases = [Case(n, f"i{n}", f"u{n}", tell("war", f"Story {n}.")) for n in range(3)]
    about = pd.DataFrame([vars(case) for case in cases]).astype({"year": object})
    read = answers_at(_run(context, cases, about, 8), about, budget)
    run = answers_at(_run(context, cases, about, budget), about, budget)
    pd.testing.assert_frame_equal(read, run)


def _run(context: MethodContext, cases: list[Case], about: pd.DataFrame, budget: int) -> pd.DataFrame:
    utility = TextUtility(GenreCounts(), context.data.utility)
    method, environment = Search(context.agent("any"), "search"), BranchingEnvironment(PlantedWriter(), 7, budget)
    found = method.run(cases, budget, Seeds(7), environment, utility)
    return valued(candidate_rows("search", found), about, utility)


def test_candidates_say_how_new_they_are(tmp_path: Path) -> None:
    context = method_context(tmp_path)
    cases = [Case(0, "i0", "u0", tell("war", "Story."))]
    about = pd.DataFrame([vars(case) for case in cases]).astype({"year": object})
    found = _run(context, cases, about, 4)
    points = GenreCounts().encode(found["text"].tolist(), [None] * 4)
    expected = context.data.utility.parts(points, ["u0"] * 4)["distance"]
    np.testing.assert_allclose(found["novelty"], expected)
    assert (expected > 0).any()


def asks_for_its_users(context: MethodContext) -> Search:
    """A method that is prepared for the users of the comparison, and would fail for any other."""
    assert context.config.evaluate.search.steps == 1
    return Search(Prepared(tuple(context.users)), "prepared")


@dataclass(frozen=True)
class Prepared:
    """Knows the first action by user."""

    users: tuple[str, ...]
    name: str = "prepared"

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        return [ACTIONS[self.users.index(o.user)] for o in observations]


def test_methods_are_opened_for_the_users_of_this_comparison(tmp_path: Path) -> None:
    context = replace(method_context(tmp_path), users=USERS[:1])  # those of the main table
    config = parse_config(
        {"evaluate": {"budgets": {"most": 1, "methods": ["tests.evaluation.test_budgets:asks_for_its_users"]}}}
    )
    rows = [
        {"case": n, "anchor": "i0", "user": user, "text": tell("war", "Story."), "year": None}
        for n, user in enumerate(USERS)
    ]
    held = HeldOut(pd.DataFrame(rows).astype({"year": object}), ("i0",), tuple(USERS), ())
    found = run_budgets(config, held, context, PlantedWriter(), TextUtility(GenreCounts(), context.data.utility))
    assert found.candidates["action"].tolist() == list(ACTIONS[: len(USERS)])


def test_the_table_has_gains_over_anchors_and_eagle_over_the_others_case_by_case() -> None:
    cases = [(n // 3, n % 3) for n in range(6)]
    bootstrap = TwoWayBootstrap([f"a{a}" for a, _ in cases], [f"u{u}" for _, u in cases], 50, 0.95, 7)
    anchors = pd.DataFrame({"utility": np.arange(6.0), "preference_stars": np.zeros(6)})
    own = pd.DataFrame({"case": range(6), "utility": np.arange(6.0) + 2, "preference_stars": 0.5, "found": True})
    answers = pd.concat(
        [
            own.assign(arm="search_eagle", budget=1, liked=1.0),
            own.assign(arm="search_random", budget=1, utility=np.arange(6.0) + 0.5, liked=np.nan),
        ]
    )
    table = BudgetTable(bootstrap, ["liked"]).of(answers, anchors).set_index(["arm", "metric"])
    assert table.loc[("search_eagle", "utility_gain"), "mean"] == pytest.approx(2)
    assert table.loc[("search_random", "utility_gain"), "mean"] == pytest.approx(0.5)
    ahead = table.loc[("search_eagle", "utility_gain_over_search_random")]
    assert ahead[["mean", "low", "high"]].tolist() == pytest.approx([1.5, 1.5, 1.5])
    assert np.isnan(table.loc[("search_random", "liked"), "mean"])


def test_the_mean_over_seeds_is_taken_case_by_case_and_compared_with_what_is_no_seed() -> None:
    bootstrap = TwoWayBootstrap(["i0", "i0", "i1", "i1"], ["u0", "u1"] * 2, 200, 0.95, 0)
    own = pd.DataFrame({"case": range(4), "found": True, "budget": 1, "utility": 1.0, "preference_stars": 0.0})
    first, second = np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 2.0, 1.0, 0.0])
    answers = pd.concat(
        [
            own.assign(arm="search_eagle", utility=first),
            own.assign(arm="search_eagle_seed8", utility=second),
            own.assign(arm="search_random", utility=0.5),
        ]
    )
    anchors = own.assign(utility=0.0)
    means = {"search_eagle_mean": ["search_eagle", "search_eagle_seed8"]}
    table = BudgetTable(bootstrap, [], means).of(answers, anchors).set_index(["arm", "metric"])
    gain = table.loc[("search_eagle_mean", "utility_gain"), ["mean", "low", "high"]]
    assert gain.tolist() == pytest.approx([2, 2, 2])  # the seeds' differences cancel in every case
    compared = {metric for arm, metric in table.index if arm == "search_eagle_mean" and "utility_gain_over" in metric}
    assert compared == {"utility_gain_over_search_random"}
    assert table.loc[("search_eagle_mean", "utility_gain_over_search_random"), "mean"] == pytest.approx(1.5)
    assert ("search_eagle", "utility_gain_over_search_eagle_mean") not in table.index


def test_the_share_that_real_ratings_confirm_stands_beside_what_is_promised() -> None:
    bootstrap = TwoWayBootstrap(["i0", "i0", "i1", "i1"], ["u0", "u1"] * 2, 50, 0.95, 0)
    own = pd.DataFrame({"case": range(4), "found": True, "utility": 1.0, "preference_stars": [3.0, 4.0, 5.0, 6.0]})
    answers = own.assign(arm="search_random", budget=2, shelf_stars=[0.5, 0.5, 0.5, np.nan])
    anchors = own.assign(preference_stars=[1.0, 2.0, 3.0, 4.0])
    table = BudgetTable(bootstrap, ["shelf_stars"]).of(answers, anchors).set_index("metric")
    assert table.loc["confirmed_share", ["mean", "cases"]].tolist() == pytest.approx([0.25, 3])


def test_another_configuration_leaves_the_context_as_it_is(tmp_path_factory: pytest.TempPathFactory) -> None:
    context = method_context(tmp_path_factory.mktemp("context"))
    other = context.with_config(context.config.model_copy(update={"seed": 8}))
    assert other == replace(context, config=other.config)
    assert context.config.seed != 8


@dataclass
class Stops:
    """Writes like the planted writer; stops for good after so many shards. ``asked`` counts them."""

    after: int
    asked: int = 0

    def __call__(self, question: Sequence[Any]) -> Any:
        if self.asked == self.after:
            raise KeyboardInterrupt
        self.asked += 1
        return [asdict(PlantedWriter().rewrite(*([part] for part in request))[0]) for request in question[1]]


def test_killed_in_the_middle_of_a_search_and_run_again_gives_the_same(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    context = method_context(tmp_path_factory.mktemp("killed"))
    cases = [Case(n, f"i{n % 3}", f"u{n % 3}", tell("war", f"Story {n}.")) for n in range(6)]
    utility = TextUtility(GenreCounts(), context.data.utility)

    def run(answerer: Stops, folder: Path) -> list[Trajectory]:
        writer = ShardedRewriter(InProcess(lambda: answerer), 4, ShardCache(folder, "here"))
        return run_method(Search(context.agent("any"), "search", steps=2, beam=2), cases, 6, 7, writer, utility)

    whole = Stops(after=99)
    uninterrupted = run(whole, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(Stops(after=3), tmp_path / "killed")
    again = Stops(after=99)
    assert run(again, tmp_path / "killed") == uninterrupted
    assert again.asked == whole.asked - 3
