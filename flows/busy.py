"""Another ``dvc`` at work in the same project: who it is, and waiting for it.

DVC refuses what another of its processes works on, and advises to remove the lock. A lock that is held is no leftover.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

LOCK = Path(".dvc/tmp/lock")
"""Holds the number of the process that has, or last had, DVC's lock on the whole project."""
_LOCKED, _BLOCKER = "Unable to acquire lock", re.compile(r"^\s*\(PID (\d+)\): ")
_ADVICE = re.compile(f"{_LOCKED}|manually remove .*rwlock")
PATIENCE = 10.0
"""Seconds until the lock on the whole project, which is held for moments, is asked for again."""


def advises_removal(line: str) -> bool:
    """Say whether a line of DVC's advises to remove a lock, which is wrong while somebody holds it."""
    return bool(_ADVICE.search(line))


@dataclass(frozen=True)
class Holder:
    """The ``dvc`` that was in the way."""

    pid: int
    command: str
    until_its_end: bool
    """Whether it works on the same outputs, not only with the lock on the whole project."""

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command})"

    def wait(self) -> None:
        """Return when the process has ended, or when it is worth to ask for the lock again."""
        while True:
            with contextlib.suppress(psutil.TimeoutExpired, psutil.NoSuchProcess):
                psutil.Process(self.pid).wait(PATIENCE)
            if not (self.until_its_end and psutil.pid_exists(self.pid)):
                return


def stood_back(lines: Sequence[str]) -> bool:
    """Say whether a ``dvc`` ended because another one had the lock, by what it said."""
    return any(map(advises_removal, lines))


def holder(lines: Sequence[str]) -> Holder | None:
    """Return the living ``dvc`` for which a failed one had to stand back, by what it said; None for other failures."""
    blockers = [int(found[1]) for line in lines if (found := _BLOCKER.match(line))]
    if not blockers and any(_LOCKED in line for line in lines):
        blockers = [int(word) for word in _text(LOCK).split()[:1]]
        return next((one for pid in blockers if (one := _of(pid, False))), None)
    return next((one for pid in blockers if (one := _of(pid, True))), None)


def any_here() -> bool:
    """Say whether a ``dvc`` lives in this folder, or below it."""
    here = Path.cwd()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if _of(process.pid, False) and Path(process.cwd()).is_relative_to(here):
                return True
    return False


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _of(pid: int, until_its_end: bool) -> Holder | None:
    """Return the process as a holder, if it is a ``dvc``: a number may have passed to another program."""
    try:
        words = psutil.Process(pid).cmdline()
    except psutil.Error:
        return None
    at = next((place for place, word in enumerate(words) if Path(word).name == "dvc"), None)
    return None if at is None else Holder(pid, " ".join(["dvc", *words[at + 1 :]]), until_its_end)
