"""Every benchmark runs, at tiny size, and what it reports can be read; peers where they are installed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import als, design, noop, preferences
from benchmarks.__main__ import main
from benchmarks.records import GOALS, Found, Record, Setting, alone, compared, interleaved, missing
from benchmarks.report import NOT_TAKEN, Report
from benchmarks.run import MODULES, names_of
from eagle.data.catalogue import Provenance, make_catalogue, write_catalogue
from tests.dvc_here import dvc

TINY = Setting("tiny", runs=1)
MACHINE = {"processor": "abacus", "threads": 2}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small catalogue to sample rating sets from."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("project")
    user, item = (part.ravel() for part in np.meshgrid(np.arange(40), np.arange(30)))
    ratings = pd.DataFrame({"user": user, "item": item, "rating": rng.integers(1, 6, len(user))})
    items = pd.DataFrame({"item": np.arange(30), "title": "Film", "genres": [["drama"]] * 30})
    write_catalogue(
        make_catalogue(ratings, items, Provenance("made up", rating_min=1.0)), folder / "data" / "catalogue"
    )
    return folder


def test_every_figure_of_a_module_has_a_goal() -> None:
    assert set(names_of(MODULES)) <= set(GOALS)


@pytest.mark.parametrize(
    ("goal", "ours", "ratio", "met"),
    [
        ("ratio >= 2", 1.0, 2.0, True),
        ("ratio >= 2", 9.0, 1.9, False),
        ("ratio <= 0.5", 1.0, 0.5, True),
        ("ours <= 4", 4.1, 0.1, False),
        ("ratio >= 2", 1.0, None, None),
        (None, 1.0, 1.0, None),
    ],
)
def test_a_goal_is_met_or_missed(goal: str | None, ours: float, ratio: float | None, met: bool | None) -> None:
    assert Record("any", "s", ours, ratio=ratio, goal=goal).met is met


def test_ratios_are_those_of_runs_that_stood_side_by_side() -> None:
    order: list[str] = []
    assert interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 2) == {
        "a": [None, None],
        "b": [None, None],
    }
    assert order == ["a", "b", "a", "b"]
    record = compared("design", "s", [1.0, 10.0, 1.0], [60.0, 600.0, 2.0], "peer", inverse=True)
    assert (record.ours, record.peer, record.ratio, record.met) == (1.0, 60.0, 60.0, True)


class TestReport:
    def found(self, value: float) -> Found:
        return Found(
            [compared("design", "s", [value], [100.0], "p", inverse=True), alone("extra", "s", [1.0])],
            {"design": [{"K": 1}]},
        )

    def test_shows_every_goal_taken_or_not(self, tmp_path: Path) -> None:
        report = Report(tmp_path / "b.json", MACHINE)
        report.add(self.found(1.0), "abc")
        report.add(Found([missing("als", "the library is not installed")]), "abc")
        report.save()
        kept = json.loads((tmp_path / "b.json").read_text())
        assert [r["name"] for r in kept["records"]] == [*GOALS, "extra"]
        table = (tmp_path / "b.md").read_text()
        assert "| design | s | 1 | 100 (p) | 100 | ratio >= 50 met | 1 | " in table
        assert "the library is not installed" in table and NOT_TAKEN in table and "abacus" in table

    def test_keeps_what_was_not_taken_again_and_only_from_the_same_machine(self, tmp_path: Path) -> None:
        path = tmp_path / "b.json"
        first = Report(path, MACHINE)
        first.add(self.found(1.0), "abc")
        first.save()
        second = Report.open(path, MACHINE)
        second.add(Found([replace(self.found(2.0).records[0])]), "def")
        assert {name: (r["ours"], r["commit"]) for name, r in second.records.items()} == {
            "design": (2.0, "def"),
            "extra": (1.0, "abc"),
        }
        assert Report.open(path, MACHINE | {"threads": 1}).records == {}


def test_designs_against_the_hand_written_and_cvxpy() -> None:
    found = design.measure(TINY)
    against_cvxpy, by_hand = found.records
    assert against_cvxpy.peer_name and against_cvxpy.peer_name.startswith("cvxpy")
    assert by_hand.peer_name in design.BY_HAND and by_hand.ratio
    assert found.curves["design"][0]["seconds_per_set"] > 0


@pytest.mark.parametrize("name", design.BY_HAND)
def test_hand_written_designs_have_the_certificate(name: str) -> None:
    for one in design.sets_of(3, 20, 4):
        weights = design.BY_HAND[name](one, design.TOLERANCE)
        assert weights.min() >= 0 and weights.sum() == pytest.approx(1.0)
        assert design.excess(one, weights) <= design.TOLERANCE * design.ROOM


def test_factors_of_a_sampled_set(project: Path) -> None:
    goal, size, memory = als.measure(replace(TINY, project=project)).records
    assert (goal.name, size.name, memory.name) == ("als", "als_tiny", "als_25m_memory")
    assert goal.ours and memory.ours and "held-out RMSE" in size.note
    assert (goal.ratio is None) == ("not installed" in goal.note)


def test_least_squares_reach_the_loss_of_implicit(project: Path) -> None:
    pytest.importorskip("implicit", reason="a benchmark dependency")
    rng = np.random.default_rng(0)
    user, item = np.nonzero(rng.random((50, 30)) < 0.3)
    likes = preferences.likes_of({"shape": (50, 30), "user": user, "item": item, "rating": np.full(len(user), 5.0)})
    _, mine = preferences.ours(likes, 4, TINY)
    _, theirs = preferences.implicit(likes, 4, TINY)
    assert mine == pytest.approx(theirs, rel=0.02)
    (record,) = preferences.measure(replace(TINY, project=project)).records
    assert record.peer_name == "implicit" and record.ratio


def test_factors_without_a_catalogue_leave_a_line(tmp_path: Path) -> None:
    assert [r.note for r in als.measure(replace(TINY, project=tmp_path)).records] == [
        "no data/catalogue to sample from: make run writes it"
    ]


def test_an_unchanged_pipeline(tmp_path: Path) -> None:
    assert "make run" in noop.unchanged(tmp_path)
    dvc(tmp_path, "init", "--no-scm", "-q")
    dvc(tmp_path, "stage", "add", "-q", "--run", "-n", "one", "-o", "one.txt", "echo 1 > one.txt")
    repro, said = noop.measure(replace(TINY, project=tmp_path)).records
    assert repro.name == "noop_repro" and repro.peer and repro.peer > 0 and said.ours
    (tmp_path / "one.txt").write_text("2")
    assert "not up to date" in noop.unchanged(tmp_path)


def test_the_command_measures_what_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "benchmarks.json"
    main(
        [
            "--only",
            "design",
            "--size",
            "tiny",
            "--runs",
            "1",
            "--clock",
            "cpu",
            "--report",
            str(path),
            "--project",
            str(tmp_path),
        ]
    )
    records = {r["name"]: r for r in json.loads(path.read_text())["records"]}
    assert records["design"]["unit"].startswith("CPU s") and records["als"]["note"] == NOT_TAKEN
    assert "design_by_hand" in capsys.readouterr().out
