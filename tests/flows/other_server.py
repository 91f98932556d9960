"""Prefect on another server than the one of all tests of flows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_API_URL, temporary_settings


@contextmanager
def at_server(address: str, settings: dict[Any, Any] | None = None) -> Iterator[None]:
    """Let Prefect use the server at ``address`` inside.

    The thread that tells it of events keeps its line for life, so it ends at both ends.
    """
    EventsWorker.drain_all(timeout=60, at_exit=False)
    with temporary_settings({PREFECT_API_URL: address, **(settings or {})}):
        yield
    EventsWorker.drain_all(timeout=60, at_exit=False)
