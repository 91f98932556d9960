"""The lines at the end of a run."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.evaluation.arm import load_arms
from eagle.evaluation.bounds import BoundCheck, write_bounds
from eagle.report.summary import Summary, markdown, print_summary
from tests.report.registered import FIRST


def test_names_every_arm_with_intervals_and_paths(finished: Project) -> None:
    out = io.StringIO()
    print_summary(finished, out, width=160)
    shown = out.getvalue()
    for name in (
        "Anchor (unchanged)",
        "Linear rule, H changes",
        "Reference, G-optimal",
        "EAGLE, G-optimal",
        "A made-up search",
    ):
        assert name in shown
    assert shown.count("[") > 10
    assert "against its reference ahead" in shown


def test_the_page_and_the_terminal_say_the_same(finished: Project) -> None:
    out = io.StringIO()
    print_summary(finished, out, width=160)
    said = Summary.read(finished)
    everything = {said.heading, *said.notes, *said.places.values(), *said.table.to_numpy().ravel()}
    assert [text for text in everything if text not in out.getvalue() or text not in markdown(finished)] == []


def test_only_what_is_there_is_named(finished: Project, tmp_path: Path) -> None:
    assert set(Summary.read(finished).places) == {"every text"}
    shutil.copytree(finished.root, tmp_path, dirs_exist_ok=True)
    project = Project(tmp_path)
    project.report.touch()
    (project.gaps).touch()
    made = replace(FIRST, version="3", champion="2", decision={"reason": "not ahead"})
    made.write(project)
    places = Summary.read(project).places
    assert list(places) == ["report", "best gaps", "every text", "agent", "experiments"]
    assert places["experiments"] == "DO_NOT_TRACK=true mlflow ui --backend-store-uri sqlite:///here.db"
    assert places["agent"] == "eagle-agent version 3, champion 2: not ahead"
    replace(made, tracking_uri="http://here:5000").write(project)
    assert Summary.read(project).places["experiments"] == "http://here:5000"
    replace(made, tracking_uri="sqlite:////my games/m.db").write(project)
    assert Summary.read(project).places["experiments"].endswith("--backend-store-uri 'sqlite:////my games/m.db'")


def test_without_a_run_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EagleError, match=r"table2\.csv does not exist"):
        print_summary(Project(tmp_path))


def test_an_agent_outside_its_bounds_is_named(finished: Project, tmp_path: Path) -> None:
    shutil.copytree(finished.root, tmp_path, dirs_exist_ok=True)
    project = Project(tmp_path)
    arm = next(arm for arm in load_arms(project) if arm.is_main)
    write_bounds(project, {arm: [BoundCheck("kl", 6.0, 5.0, False)]})
    said = "EAGLE, G-optimal is outside its bounds, so read its gain with care: KL to the reference 6 (at most 5)."
    assert said in Summary.read(project).notes
    write_bounds(project, {arm: [BoundCheck("kl", 4.0, 5.0, True)]})
    assert not [note for note in Summary.read(project).notes if "bounds" in note]
