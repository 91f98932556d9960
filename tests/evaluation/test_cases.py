"""Held-out cases: only from their split, crossed, the same for one seed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from eagle.config import EvaluateConfig
from eagle.core.artifacts import write_table
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.evaluation.cases import anchor_groups, pick_cases

SPLITS = ("train", "validation", "test")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    items = pd.DataFrame({"item": [f"i{n}" for n in range(30)], "split": [SPLITS[n % 3] for n in range(30)]})
    users = pd.DataFrame({"user": [f"u{n}" for n in range(24)], "split": [SPLITS[n % 3] for n in range(24)]})
    plots = ["" if n < 9 else f"Story number {n}." for n in range(30)]
    described = pd.DataFrame(
        {"item": items["item"], "plot": plots, "year": pd.array([None, *[1990] * 29], dtype="Int64")}
    )
    described["text"] = [f"Genres: war. Plot: {plot}" if plot else "Genres: war." for plot in plots]
    write_table(made.splits / "items.parquet", items, "item_split")
    write_table(made.splits / "users.parquet", users, "user_split")
    write_table(made.descriptions, described, "descriptions")
    return made


def test_only_held_out_items_with_a_plot_and_held_out_users(project: Project) -> None:
    held = pick_cases(EvaluateConfig(anchors=5, users=4), 0, project)
    assert len(held.cases) == 20
    assert held.cases["case"].tolist() == list(range(20))
    assert all(int(a[1:]) % 3 == 2 and int(a[1:]) >= 9 for a in held.anchors)
    assert all(int(u[1:]) % 3 == 2 for u in (*held.users, *held.raters))
    assert len(held.raters) == 8
    assert set(zip(held.cases["anchor"], held.cases["user"], strict=True)) == {
        (a, u) for a in held.anchors for u in held.users
    }
    assert held.cases["year"].tolist() == [1990] * 20


def test_asks_for_more_than_there_is(project: Project) -> None:
    held = pick_cases(EvaluateConfig(anchors=500, users=500, split="validation"), 0, project)
    assert (len(held.anchors), len(held.users)) == (7, 8)


def test_one_seed_one_draw(project: Project) -> None:
    settings = EvaluateConfig(anchors=4, users=4)
    draws = [pick_cases(settings, seed, project) for seed in (0, 0, 1, 2, 3)]
    assert draws[0].anchors == draws[1].anchors
    assert len({(d.anchors, d.users) for d in draws}) == 4


def test_nothing_held_out_is_one_clear_error(project: Project) -> None:
    write_table(project.split_files.users, pd.DataFrame({"user": ["u0"], "split": ["train"]}), "user_split")
    with pytest.raises(EagleError, match="nothing to evaluate on in the test split"):
        pick_cases(EvaluateConfig(), 0, project)


def test_groups_by_shrunk_mean_rating() -> None:
    rows = [("a", 5.0)] * 20 + [("b", 1.0)] * 20 + [("c", 5.0)]  # c: one high rating says little
    ratings = pd.DataFrame(rows, columns=["item", "rating"])
    assert anchor_groups(ratings, ("a", "b", "c")) == {"a": "high_rated", "b": "low_rated", "c": "high_rated"}
    assert anchor_groups(ratings, ("a", "c")) == {"a": "high_rated", "c": "low_rated"}
