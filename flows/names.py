"""Names of flow runs that tell a reader of Prefect's page what ran and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime


def dated(what: str) -> Callable[[], str]:
    """Return a function that names a run ``what`` with the present minute (UTC)."""
    return lambda: f"{what} {datetime.now(UTC):%Y-%m-%d %H:%M}"
