"""Processes of one machine that use one store take turns where MLflow itself knows none.

Runs are written side by side. But of two processes that make a local database at once one fails, and two that register
at once would both compare with a champion that one of them replaces.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from eagle.core.project import Project


def opening(database: Path) -> FileLock:
    """Return the lock under which a local database is opened, and made where there is none: for a second or two."""
    return FileLock(database.with_name(f"{database.name}.lock"))


@contextmanager
def registering(project: Project) -> Iterator[None]:
    """Let one process at a time decide about the champion, of the project and its workspaces; others wait, and say so.

    The lock goes with its process, however that ends.
    """
    project.registration_lock.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(project.registration_lock)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print("waiting for another registration of this project", file=sys.stderr, flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
