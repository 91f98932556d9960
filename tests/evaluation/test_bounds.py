"""Agents are held to bounds: known figures inside and outside, as records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from eagle.config import BoundsConfig
from eagle.core.artifacts import read_json
from eagle.core.project import Project
from eagle.evaluation.arm import eagle_arm
from eagle.evaluation.bounds import LEAST, MOST, check_bounds, outside, read_bounds, write_bounds

GOOD = {"distinct_actions": 9.0, "valid_actions": 1.0, "mutual_information": 0.3, "defects": 0.02, "copies": 0.0}
EAGLE, OTHER = eagle_arm("g_optimal", 3), eagle_arm("uniform", 3)
CURVE = pd.DataFrame({"kl": [0.1, 1.5, None]})


def test_every_bound_is_looked_at() -> None:
    assert {*LEAST, *MOST} == set(BoundsConfig.model_fields)
    checks = check_bounds(BoundsConfig(), GOOD, CURVE)
    assert [check.name for check in checks] == [*LEAST, *MOST] and outside(checks) == []
    assert [check.sense for check in checks] == ["at least"] * len(LEAST) + ["at most"] * len(MOST)
    assert checks[-1].value == 1.5


@pytest.mark.parametrize(
    "change",
    [
        {"distinct_actions": 1.0},
        {"mutual_information": 0.002},
        {"valid_actions": 0.5},
        {"defects": 0.4},
        {"copies": None},
    ],
)
def test_a_figure_outside_is_found(change: dict[str, Any]) -> None:
    broken = outside(check_bounds(BoundsConfig(), GOOD | change, CURVE))
    assert {check.name: check.value for check in broken} == change


def test_checks_survive_their_file(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert read_bounds(project) == {}  # no report, no verdict
    checks = {
        EAGLE: check_bounds(BoundsConfig(), GOOD | {"defects": 0.4}, CURVE),
        OTHER: check_bounds(BoundsConfig(), GOOD, CURVE),
    }
    write_bounds(project, checks)
    assert read_bounds(project) == {arm.name: found for arm, found in checks.items()}
    assert {name: found["kept"] for name, found in read_json(project.bounds).items()} == {
        "eagle_g_optimal": False,
        "eagle_uniform": True,
    }


def test_drift_is_that_of_the_last_update() -> None:
    drifted = check_bounds(BoundsConfig(), GOOD, pd.DataFrame({"kl": [0.1, 6.0]}))
    assert [check.name for check in outside(drifted)] == ["kl"]
    unknown = check_bounds(BoundsConfig(), GOOD, pd.DataFrame({"loss": [1.0]}))
    assert [check.name for check in outside(unknown)] == ["kl"]
