"""Training gives the curve on record: another curve is another method, unless somebody meant it to be one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.golden import PACKAGES, RECORD, Rows, curves, versions

#: Of the recorded figure, and of 1: some seven times what another set of vector instructions changes.
SHARE, LEAST = 0.01, 1e-4


def differences(recorded: Rows, found: Rows) -> list[str]:
    """Name every figure that is further from its record than rounding takes it."""
    if [list(row) for row in recorded] != [list(row) for row in found]:
        return ["other rows or columns"]
    return [
        f"update {old['update']}: {name} was {old[name]}, is {new[name]}"
        for old, new in zip(recorded, found, strict=True)
        for name in old
        if not _same(old[name], new[name])
    ]


def _same(old: float | str | None, new: float | str | None) -> bool:
    if isinstance(old, str) or isinstance(new, str) or old is None or new is None:
        return old == new
    return abs(new - old) <= SHARE * abs(old) + LEAST


def test_training_follows_the_recorded_curve(tmp_path: Path) -> None:
    record, present = json.loads(RECORD.read_text(encoding="utf-8")), versions()
    others = [f"{name} {record['versions'][name]}" for name in PACKAGES if record["versions"][name] != present[name]]
    if others:
        pytest.skip(f"recorded with {', '.join(others)}, whose numbers need not be those of the installed ones")
    found = curves(tmp_path)
    assert {name: differences(rows, found[name]) for name, rows in record["curves"].items()} == {
        name: [] for name in found
    }


def test_a_figure_a_little_off_is_rounding_and_one_further_off_is_named() -> None:
    recorded: Rows = [{"update": 1, "phase": "all_action", "loss": 2.0, "kl": 0.0, "repair_loss": None}]
    rounded: Rows = [{**recorded[0], "loss": 2.01, "kl": 6e-8}]
    assert differences(recorded, rounded) == []
    assert differences(recorded, [{**recorded[0], "loss": 2.1}]) == ["update 1: loss was 2.0, is 2.1"]
    assert differences(recorded, [{**recorded[0], "repair_loss": 1.0}]) == ["update 1: repair_loss was None, is 1.0"]
    assert differences(recorded, []) == ["other rows or columns"]
