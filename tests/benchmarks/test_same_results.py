"""Two project folders are the same where their values are, whatever their notes; one changed value is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from benchmarks.same_results import compare, main
from eagle.core.artifacts import write_json, write_table


def fill(
    root: Path, *, text: str = "a", weight: float = 1.0, figure: float = 0.5, seconds: int = 1, **more: object
) -> Path:
    """A project folder with a table, weights, metrics and costs."""
    table = pd.DataFrame({"item": ["1", "2"], "text": ["x", text], "z": [[1.0, 2.0], [3.0, 4.0]], "year": [1990, None]})
    write_table(root / "data/descriptions.parquet", table.assign(**more), "descriptions")
    (root / "models").mkdir(parents=True)
    save_file({"w": np.array([weight, np.nan])}, root / "models/factors.safetensors")
    write_json(root / "reports/metrics.json", {"arm": {"mean": figure}, "inputs": {"seconds": seconds}, **more})
    write_json(root / "reports/costs/fetch.json", {"seconds": seconds})
    return root


def test_new_columns_keys_and_notes_are_no_difference(tmp_path: Path) -> None:
    old, new = fill(tmp_path / "old"), fill(tmp_path / "new", seconds=9, added=1)
    assert set(compare(old, new)["verdict"]) == {"same bytes", "same values"}
    assert main([str(old), str(new)]) == 0


@pytest.mark.parametrize(
    ("change", "file", "said"),
    [
        ({"text": "b"}, "data/descriptions.parquet", "column text differs in 1 of 2 rows"),
        ({"weight": 2.0}, "models/factors.safetensors", "w differs"),
        ({"figure": 0.6}, "reports/metrics.json", ".arm.mean: 0.5 is now 0.6"),
    ],
)
def test_a_changed_value_is_named(tmp_path: Path, change: dict, file: str, said: str) -> None:
    old, new = fill(tmp_path / "old"), fill(tmp_path / "new", **change)
    found = compare(old, new).set_index("file")
    assert found.at[file, "verdict"] == "differs" and found.at[file, "what"] == said
    assert (found.drop(index=file)["verdict"] == "same bytes").all()
    assert main([str(old), str(new)]) == 1


def test_a_missing_file_and_an_empty_folder_are_told(tmp_path: Path) -> None:
    old, new = fill(tmp_path / "old"), fill(tmp_path / "new")
    (new / "models/factors.safetensors").unlink()
    assert compare(old, new).set_index("file").at["models/factors.safetensors", "verdict"] == "gone"
    assert main([str(old), str(new)]) == main([str(tmp_path), str(tmp_path)]) == 1
