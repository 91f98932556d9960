"""Who answers questions: what opens a worker, what workers have in common, and the one worker that is this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

Answerer = Callable[[Any], Any]
WorkerFactory = Callable[[], Answerer]
"""What a worker opens once.

For workers in other processes it must be picklable: a frozen dataclass of parameters and paths.
"""


class Workers(Protocol):
    """Who answers questions."""

    def map(self, questions: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Yield (place of the question, answer) in whatever order the answers come."""
        ...


@dataclass(frozen=True)
class InProcess:
    """One worker: this process. It opens its work at the first question."""

    factory: WorkerFactory

    @cached_property
    def _answer(self) -> Answerer:
        return self.factory()

    def map(self, questions: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Answer one question after the other."""
        for place, question in enumerate(questions):
            yield place, self._answer(question)
