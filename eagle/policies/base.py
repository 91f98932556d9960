"""What every agent offers, trained or not: one action text per observation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from eagle.environment.steering import Observation


@runtime_checkable
class Agent(Protocol):
    """Chooses actions; equal seeds give equal actions."""

    @property
    def name(self) -> str:
        """Label of its rows in tables."""
        ...

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        """Return one action for each observation; actions already used are in ``observation.history``."""
        ...
