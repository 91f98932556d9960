"""What several requests share, taken in turn: an engine has one adapter loaded at a time, and a tokenizer one user.

1. Only the calls themselves are in turn. Between them the requests go on side by side, each with episodes of its own.
2. Whoever waits comes before whoever has just had a turn.
3. A request with a time limit asks for a few rows at a time, so that others get their turn in between, and it stops at
   the first turn that would begin after its end. In float32 the answers are the same, whatever is asked for together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from eagle.core.errors import EagleError, Problem

if TYPE_CHECKING:
    from eagle.environment.rewrite import Rewrite
    from eagle.environment.steering import Observation, Writer
    from eagle.latent.base import TextEncoder
    from eagle.policies.base import Agent

T = TypeVar("T")
PART = 16  # rows that a request with a time limit asks for together [O]


class OutOfTime(EagleError):
    """A request did not end within its time limit."""


@dataclass(frozen=True)
class _TimeLimit:
    seconds: float
    end: float  # by time.monotonic

    def left(self) -> float:
        """Return the seconds that are left; OutOfTime where there are none."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise self.over()
        return left

    def over(self) -> OutOfTime:
        return OutOfTime(
            Problem(
                "the request ran out of time, and its work was stopped",
                expected=f"an answer within {self.seconds:g} seconds",
                mend="send fewer rows, ask for fewer changes or texts, or serve with a longer `--timeout`",
            )
        )


_LIMIT: ContextVar[_TimeLimit | None] = ContextVar("limit", default=None)  # of the request that this thread answers


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Let the turns within raise OutOfTime once so many seconds are over; None sets no limit."""
    before = _LIMIT.set(None if seconds is None else _TimeLimit(seconds, time.monotonic() + seconds))
    try:
        yield
    finally:
        _LIMIT.reset(before)


Who = Literal["agent", "environment", "encoder"]
Told = tuple[Who, dict[str, Any], dict[str, Any]]
"""Who was asked what in one turn, and what came of it."""


@dataclass(frozen=True)
class TurnTaken:
    """One call of what requests share: who worked, on what, from when to when (nanoseconds since 1970)."""

    who: Who
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    began: int = 0
    ended: int = 0


_NOTED: ContextVar[list[TurnTaken] | None] = ContextVar("noted", default=None)  # turns of this thread's request


@contextmanager
def noted() -> Iterator[list[TurnTaken]]:
    """Note the turns that this thread takes inside, in their order."""
    turns: list[TurnTaken] = []
    before = _NOTED.set(turns)
    try:
        yield turns
    finally:
        _NOTED.reset(before)


@dataclass(frozen=True)
class Turns:
    """Lets one request at a time use what all share."""

    present: Lock = field(default_factory=Lock)
    following: Lock = field(default_factory=Lock)  # held by whoever comes next

    def taken(
        self,
        rows: int,
        work: Callable[[slice], Sequence[T]],
        told: Callable[[slice, Sequence[T]], Told] | None = None,
    ) -> list[T]:
        """Return what ``work`` makes of rows 0 to ``rows - 1``: of all in one turn, or of ``PART`` rows in each turn
        where there is a time limit. ``told`` says of a part and its answers what is noted. Raises OutOfTime.
        """
        together = PART if _LIMIT.get() else max(rows, 1)
        found: list[T] = []
        for start in range(0, rows, together):
            part = slice(start, start + together)
            with self._turn():
                began = time.time_ns()
                answers = work(part)
                ended = time.time_ns()
            if told and (turns := _NOTED.get()) is not None:
                turns.append(TurnTaken(*told(part, answers), began, ended))
            found += answers
        return found

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with ExitStack() as held:
            with _held(self.following):
                held.enter_context(_held(self.present))
            yield


@contextmanager
def _held(lock: Lock) -> Iterator[None]:
    limit = _LIMIT.get()
    if limit is None:
        lock.acquire()
    elif not lock.acquire(timeout=limit.left()):
        raise limit.over()
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True)
class WriterInTurn:
    """A writer that others use too."""

    inner: Writer
    turns: Turns

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
        """Rewrite, as the inner writer would."""

        def told(part: slice, answers: Sequence[Rewrite]) -> Told:
            came = {"texts": [one.text for one in answers], "causes": [one.cause for one in answers]}
            return "environment", {"texts": list(texts[part]), "actions": list(actions[part])}, came

        return self.turns.taken(
            len(texts), lambda part: self.inner.rewrite(texts[part], actions[part], seeds[part]), told
        )


@dataclass(frozen=True)
class EncoderInTurn:
    """An encoder that others use too, which places every text by itself.

    In a batch the last bits of a point depend on what stands beside its text; here equal texts have equal points,
    whatever else a request asks for.
    """

    inner: TextEncoder
    turns: Turns

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        """Return (n, d), as the inner encoder would one by one."""

        def placed(part: slice) -> list[np.ndarray]:
            return [self.inner.encode([t], [y])[0] for t, y in zip(texts[part], years[part], strict=True)]

        def told(part: slice, answers: Sequence[np.ndarray]) -> Told:
            return "encoder", {"texts": list(texts[part])}, {"dimensions": [len(row) for row in answers]}

        points: list[np.ndarray] = self.turns.taken(len(texts), placed, told)
        return np.stack(points)


@dataclass(frozen=True)
class AgentInTurn:
    """An agent that shares its engine: its adapter is loaded, used and put back before anybody else writes."""

    inner: Agent
    turns: Turns

    @property
    def name(self) -> str:
        return self.inner.name

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        """Act, as the inner agent would."""

        def told(part: slice, answers: Sequence[str]) -> Told:
            seen = [{"user": o.user, "item": o.anchor, "step": o.step, "text": o.text} for o in observations[part]]
            return "agent", {"observations": seen}, {"actions": list(answers)}

        return self.turns.taken(len(observations), lambda part: self.inner.act(observations[part], seeds[part]), told)
