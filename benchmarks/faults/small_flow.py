"""The flow of kind ``schedules``: one small task, as often as it is asked."""

from __future__ import annotations

import flows  # noqa: F401  sets Prefect's surroundings before it is imported  # isort: skip
from prefect import flow, task


@task
def add(numbers: list[int]) -> int:
    """Return the sum."""
    return sum(numbers)


@flow(name="small-work")
def small_work() -> None:
    """Do next to nothing."""
    add([1, 2])
