"""What the evaluation wrote, as report and registry read it: one reader for each file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from eagle.core.artifacts import read_json, read_table


def read_trajectories(path: Path) -> pd.DataFrame:
    """Return every step of every arm: arm, case, step, anchor, user, action, text, z (d,), utility and judgements."""
    return read_table(path, "trajectories")


def read_metrics(path: Path) -> dict[str, Any]:
    """Return the figures of the comparison by arm, and beside them panel, cases and inputs."""
    return read_json(path)


def read_headline(path: Path) -> dict[str, dict[str, float]]:
    """Return the few figures that a list of runs is sorted by, for each arm that uses a trained policy."""
    return read_json(path)


def read_comparison(path: Path) -> pd.DataFrame:
    """Return table 2, 3 or 4; an empty cell is NaN."""
    return pd.read_csv(path)
