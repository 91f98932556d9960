"""The tables of candidate actions, of their cached outcomes and of the exploration design: one reader for each file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from eagle.core.artifacts import read_arrays, read_table


def read_actions(path: Path) -> pd.DataFrame:
    """Return the candidates: anchor (str), split, action_index (int), action (str), category, kind, origin."""
    return read_table(path, "actions")


def read_transitions(path: Path) -> pd.DataFrame:
    """Return the cached steps, one row each (:class:`eagle.actions.expansion.TransitionRow`).

    row (int), anchor and state (str: an item, or ``row:<n>``) stand before that class's own columns.
    """
    return read_table(path, "transitions")


def read_transition_vectors(path: Path) -> tuple[np.ndarray, list[str]]:
    """Return E_D of every cached text (n_rows, d) float32, NaN where it failed, and the rows' names in that order."""
    arrays, ids = read_arrays(path, "transition_vectors")
    return arrays["z"], ids["rows"]


def read_design_weights(path: Path) -> pd.DataFrame:
    """Return the exploration design: anchor (str), action_index (int), action (str), weight (sums to 1 by anchor)."""
    return read_table(path, "design_weights")


def read_design(path: Path) -> dict[tuple[str, str], float]:
    """Return the G-optimal design: (anchor, action text) -> probability."""
    table = read_design_weights(path)
    return dict(zip(zip(table["anchor"].astype(str), table["action"], strict=True), table["weight"], strict=True))
