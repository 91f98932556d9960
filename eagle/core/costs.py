"""What a stage costs: wall seconds, peak memory, tokens and calls of language models, those of its workers included."""

from __future__ import annotations

import contextlib
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from eagle.core.artifacts import write_json


class UsageCounters(Protocol):
    """Running counters of one language model (`eagle.engine.base.Usage`)."""

    prompt_tokens: int
    new_tokens: int
    remembered_tokens: int
    calls: int
    repeated: int
    failed: int
    halved: int


@dataclass
class Counts:
    """Plain counters, for a model that counts for itself."""

    prompt_tokens: int = 0
    new_tokens: int = 0
    remembered_tokens: int = 0
    calls: int = 0
    repeated: int = 0
    failed: int = 0
    halved: int = 0


_COUNTED = ("prompt_tokens", "new_tokens", "remembered_tokens", "calls", "repeated", "failed", "halved")
_PEAK = "peak_memory_mib"


@dataclass
class _Account:
    """Counters registered while a stage runs, each with its reading at registration,
    and what workers elsewhere spent.
    """

    counters: list[tuple[UsageCounters, dict[str, int]]] = field(default_factory=list)
    updates: list[dict[str, float]] = field(default_factory=list)
    running: dict[str, float] = field(default_factory=dict)  # the parts of the update under way
    timing: bool = False  # is one of them being timed
    workers: list[Mapping[str, int | float]] = field(default_factory=list)

    def add(self, usage: UsageCounters) -> None:
        if all(known is not usage for known, _ in self.counters):
            self.counters.append((usage, {name: getattr(usage, name) for name in _COUNTED}))

    def totals(self) -> dict[str, int]:
        here = {name: sum(getattr(usage, name) - start[name] for usage, start in self.counters) for name in _COUNTED}
        return {name: here[name] + sum(int(spent[name]) for spent in self.workers) for name in _COUNTED}

    def peak(self) -> float:
        return round(max([peak_memory_mib(), *(spent[_PEAK] for spent in self.workers)]), 1)


_OPEN: list[_Account] = []


def register(usage: UsageCounters) -> None:
    """Count ``usage`` towards the account that is open now, from its present reading on; without one, do nothing."""
    if _OPEN:
        _OPEN[-1].add(usage)


@contextlib.contextmanager
def part(name: str) -> Iterator[None]:
    """Count the enclosed seconds towards one part of the training update under way (environment, policy, scoring,
    gradient).

    A part within a part counts as the outer one.
    """
    account = _OPEN[-1] if _OPEN else None
    if account is None or account.timing:
        yield
        return
    start, account.timing = time.perf_counter(), True
    try:
        yield
    finally:
        account.timing = False
        account.running[name] = account.running.get(name, 0.0) + time.perf_counter() - start


def close_update(number: int) -> None:
    """Note the parts of training update ``number`` and begin the next one."""
    if _OPEN:
        opened = _OPEN[-1]
        opened.updates.append(
            {"update": number, **{name: round(seconds, 3) for name, seconds in opened.running.items()}}
        )
        opened.running = {}


def add_worker(spent: Mapping[str, int | float]) -> None:
    """Count what a worker in another process spent (:class:`Meter`) towards the account that is open now."""
    if _OPEN:
        _OPEN[-1].workers.append(spent)


def add_updates(updates: Sequence[Mapping[str, float]]) -> None:
    """Take over the training updates that a worker process noted (:class:`Meter`) into the account that is open now."""
    if _OPEN:
        _OPEN[-1].updates.extend(dict(update) for update in updates)


class Meter:
    """Counts in a worker process for as long as it lives."""

    def __init__(self) -> None:
        self._account, self._reported = _Account(), dict.fromkeys(_COUNTED, 0)
        _OPEN.append(self._account)

    @property
    def updates(self) -> list[dict[str, float]]:
        """The parts of each training update so far."""
        return self._account.updates

    def spent(self) -> dict[str, int | float]:
        """Return tokens and calls since the last reading, and the largest memory so far."""
        before, self._reported = self._reported, self._account.totals()
        return {name: self._reported[name] - before[name] for name in _COUNTED} | {_PEAK: self._account.peak()}


def peak_memory_mib() -> float:
    """Return the largest resident memory so far in MiB: this process,
    or its largest finished child if that was larger.
    """
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / unit


@contextlib.contextmanager
def account(stage: str, path: Path) -> Iterator[None]:
    """Measure the enclosed work and write it to ``path`` as JSON; a stage that fails writes nothing.

    Keys: stage, seconds, peak_memory_mib (of the largest process), and the counters, see docs/metrics.md; for training
    also updates, the seconds of each update that this process took by its parts. Times and memory differ between two
    runs of one seed; DVC therefore keeps these files as uncached outputs that no other stage's result depends on.
    """
    opened = _Account()
    _OPEN.append(opened)
    start = time.perf_counter()
    try:
        yield
    finally:
        _OPEN.remove(opened)
    costs: dict[str, Any] = {
        "stage": stage,
        "seconds": round(time.perf_counter() - start, 3),
        _PEAK: opened.peak(),
        **opened.totals(),
        **({"updates": opened.updates} if opened.updates else {}),
    }
    write_json(path, costs)
