"""``python -m benchmarks.same_results OLD NEW``: do two project folders hold the same texts, weights and tables?

A change of structure must not change a result. Every file below data/, models/ and reports/ is compared: byte for byte,
and where that fails value for value, so that a new column, a new key or another note of the inputs is told apart from
another value. Costs, dates and pages, which differ between any two runs, are left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from safetensors.numpy import load_file

FOLDERS = ("data", "models", "reports")
LEFT_OUT = ("reports/costs", "reports/data_docs", "reports/benchmarks", "models/checkpoints")
"""Folders and beginnings of names: costs and unfinished work."""
LEFT_OUT_FILES = frozenset({"reports/report.html", "reports/registration.json", "data/validation.json"})
"""Files that hold dates, versions and addresses."""
NOTES = frozenset({"inputs", "hash", "hashes"})
"""JSON keys that name the inputs of a file by hash: they change with the inputs' bytes, not with their values."""


def compared(root: Path) -> dict[str, Path]:
    """Return what is compared in a project folder: relative name -> file."""
    files = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*")) if path.is_file()]
    named = {path.relative_to(root).as_posix(): path for path in files}
    return {name: path for name, path in named.items() if not name.startswith(LEFT_OUT) and name not in LEFT_OUT_FILES}


def json_differences(old: Any, new: Any, place: str = "") -> Iterator[str]:
    """Yield where two JSON values differ; keys that only ``new`` has, and notes of inputs, do not count."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key, value in old.items():
            if key in NOTES:
                continue
            if key not in new:
                yield f"{place}.{key} is gone"
            else:
                yield from json_differences(value, new[key], f"{place}.{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from json_differences(one, other, f"{place}[{index}]")
    elif old != new and not (old != old and new != new):  # NaN equals NaN here
        yield f"{place}: {old!r} is now {new!r}"


def table_differences(old: pd.DataFrame, new: pd.DataFrame) -> Iterator[str]:
    """Yield the columns of ``old`` that ``new`` lacks or holds with other values or in another order of rows."""
    if len(old) != len(new):
        yield f"{len(old)} rows are now {len(new)}"
        return
    for column in old.columns:
        if column not in new:
            yield f"column {column} is gone"
        else:
            pairs = zip(map(_plain, old[column]), map(_plain, new[column]), strict=True)
            changed = sum(one != other for one, other in pairs)
            if changed:
                yield f"column {column} differs in {changed} of {len(old)} rows"


def _plain(cell: Any) -> Any:
    """Return a cell such that equal values are equal: arrays as lists, every missing value as None."""
    if isinstance(cell, np.ndarray):
        return cell.tolist()
    return None if not isinstance(cell, list) and pd.isna(cell) else cell


def array_differences(old: Path, new: Path) -> Iterator[str]:
    """Yield the arrays that are gone or hold other numbers."""
    found = load_file(new)
    for name, array in load_file(old).items():
        if name not in found:
            yield f"{name} is gone"
        elif array.shape != found[name].shape or not np.array_equal(
            array, found[name], equal_nan=array.dtype.kind == "f"
        ):
            yield f"{name} differs"


def differences(old: Path, new: Path) -> list[str]:
    """Return how two files differ in value; empty where they do not."""
    if old.read_bytes() == new.read_bytes():
        return []
    if old.suffix == ".parquet":
        return list(table_differences(pd.read_parquet(old), pd.read_parquet(new)))
    if old.suffix == ".csv":
        return list(table_differences(pd.read_csv(old), pd.read_csv(new)))
    if old.suffix == ".json":
        return list(json_differences(json.loads(old.read_text("utf-8")), json.loads(new.read_text("utf-8"))))
    return list(array_differences(old, new)) if old.suffix == ".safetensors" else ["bytes differ"]


def compare(old: Path, new: Path) -> pd.DataFrame:
    """Return one row per file: file, verdict (same bytes, same values, differs, gone, new) and what differs."""
    before, after = compared(old), compared(new)
    rows = []
    for name in sorted(before.keys() | after.keys()):
        if name not in before or name not in after:
            rows.append((name, "new" if name in after else "gone", ""))
            continue
        found = differences(before[name], after[name])
        same = "same bytes" if before[name].read_bytes() == after[name].read_bytes() else "same values"
        rows.append((name, "differs" if found else same, "; ".join(found[:3])))
    return pd.DataFrame(rows, columns=["file", "verdict", "what"])


def main(words: list[str] | None = None) -> int:
    """Print the comparison; return 1 where a value differs or a file is gone, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.same_results", description=__doc__)
    parser.add_argument("old", type=Path, help="a project folder with results")
    parser.add_argument("new", type=Path, help="another one")
    asked = parser.parse_args(words)
    found = compare(asked.old, asked.new)
    shown = Table("file", "verdict", "what")
    for row in found.itertuples(index=False):
        shown.add_row(*row)
    Console(width=160).print(shown)
    print(", ".join(f"{count} {verdict}" for verdict, count in found["verdict"].value_counts().items()) or "no files")
    return int(found.empty or found["verdict"].isin(["differs", "gone"]).any())


if __name__ == "__main__":
    sys.exit(main())
