"""What a killed ``dvc`` leaves half written and no later one goes on over. Nothing in it is anybody's result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from flows.busy import any_here

RECORD = Path(".dvc/tmp/rwlock")
"""Which ``dvc`` reads and writes which outputs. DVC writes it in place, so a kill can leave it cut off."""
RUNS = Path(".dvc/cache/runs")
"""What stages gave before, in a folder for each of their inputs: DVC makes the folder first, then the file in it."""


def remove_leftovers() -> list[Path]:
    """Remove what a kill has cut off, and return it.

    While a ``dvc`` lives here, all of it stays: it may be about to be written to its end.
    """
    if not any(True for _ in _cut_off()) or any_here():
        return []
    found = list(_cut_off())  # asked again: a dvc that has ended meanwhile may have written them to their end
    for path in found:
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
    return found


def _cut_off() -> Iterator[Path]:
    if not _whole(RECORD):
        yield RECORD
    yield from (folder for folder in RUNS.glob("*/*") if folder.is_dir() and not any(folder.iterdir()))


def _whole(path: Path) -> bool:
    """Say whether a file holds JSON, or there is none."""
    try:
        json.loads(path.read_bytes())
    except FileNotFoundError:
        return True
    except ValueError:
        return False
    return True
