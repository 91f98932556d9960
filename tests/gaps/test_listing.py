"""What `eagle gaps` prints."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from eagle.core.artifacts import write_table
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.gaps.listing import best_gaps, render

GAPS = pd.DataFrame(
    {
        "rank": [1, 2],
        "user": ["u0", "u1"],
        "profile": ["Likes crime.", "Likes war."],
        "anchor": ["i0", "i1"],
        "anchor_title": ["The farm", "The heist"],
        "anchor_text": ["Old.", "Older."],
        "text": ["New, and “quoted”.", "Newer."],
        "actions": [["Add a thief.", "Add a war."], ["Add snow."]],
        "utility": [1.5, 1.0],
        "gain": [0.5, 0.25],
        "distance": [0.3, 0.2],
        "nearest_titles": [["The heist", "Snow"], ["The farm", "Snow"]],
        "nearest_distances": [[0.25, 1.0], [0.5, 2.0]],
    }
)


def test_the_best_are_read_first(tmp_path: Path) -> None:
    project = Project(tmp_path)
    with pytest.raises(EagleError, match="does not exist"):
        best_gaps(project, 1)
    write_table(project.gaps, GAPS, "gaps")
    assert best_gaps(project, 1)["user"].tolist() == ["u0"]


def test_as_text() -> None:
    assert render(GAPS, as_json=False).split("\n\n")[0].splitlines() == [
        "1. for user u0: Likes crime.",
        "   from   The farm (item i0): Old.",
        "   to     New, and “quoted”.",
        "   by     Add a thief. | Add a war.",
        "   gain   +0.50 SD of U over the anchor (U 1.50); distance 0.30",
        "   near   The heist (0.25), Snow (1.00)",
    ]
    assert render(GAPS[:0], as_json=False) == "no gaps were found"


def test_as_json() -> None:
    found = json.loads(render(GAPS, as_json=True))
    assert [gap["text"] for gap in found] == GAPS["text"].tolist()
    assert found[0]["actions"] == ["Add a thief.", "Add a war."]
    assert json.loads(render(GAPS[:0], as_json=True)) == []
