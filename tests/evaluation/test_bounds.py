"""Agents are held to bounds: known figures inside and outside, and what is said about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from eagle.config import BoundsConfig
from eagle.core.artifacts import write_json
from eagle.core.project import Project
from eagle.evaluation.arm import eagle_arm
from eagle.evaluation.bounds import LEAST, MOST, as_json, held_to, outside, sentence

GOOD = {"distinct_actions": 9.0, "valid_actions": 1.0, "mutual_information": 0.3, "defects": 0.02, "copies": 0.0}
EAGLE, OTHER = eagle_arm("g_optimal", 3), eagle_arm("uniform", 3)
CURVE = pd.DataFrame({"kl": [0.1, 1.5, None]})


def test_every_bound_is_looked_at() -> None:
    assert {*LEAST, *MOST} == set(BoundsConfig.model_fields)
    held = held_to(BoundsConfig(), GOOD, CURVE)
    assert [one.name for one in held] == [*LEAST, *MOST] and all(one.kept for one in held)
    assert "keeps all its bounds" in sentence(EAGLE, held) and "KL to the reference 1.5 (at most 5)" in sentence(
        EAGLE, held
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"distinct_actions": 1.0}, "different actions 1 (at least 4)"),
        ({"mutual_information": 0.002}, "information on the user 0.002 (at least 0.02)"),
        ({"valid_actions": 0.5}, "valid actions 0.5 (at least 0.9)"),
        ({"defects": 0.4}, "defects 0.4 (at most 0.1)"),
        ({"copies": None}, "copies not measured (at most 0.1)"),
    ],
)
def test_a_figure_outside_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    held = held_to(BoundsConfig(), GOOD | change, CURVE)
    assert [one.name for one in held if not one.kept] == list(change)
    assert said in sentence(EAGLE, held)
    project = Project(tmp_path)
    assert outside(project, EAGLE) is None  # no report, no verdict
    write_json(
        project.bounds,
        as_json({EAGLE: held, OTHER: held_to(BoundsConfig(), GOOD, CURVE)}),
    )
    assert outside(project, EAGLE) == sentence(EAGLE, held)
    assert outside(project, OTHER) is None


def test_drift_is_that_of_the_last_update() -> None:
    drifted = held_to(BoundsConfig(), GOOD, pd.DataFrame({"kl": [0.1, 6.0]}))
    assert [one.name for one in drifted if not one.kept] == ["kl"]
    assert [one.name for one in held_to(BoundsConfig(), GOOD, pd.DataFrame({"loss": [1.0]})) if not one.kept] == ["kl"]
