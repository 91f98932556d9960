"""What several requests share, taken in turn: an engine has one adapter loaded at a time, and a tokenizer one user.

Only the calls themselves are in turn. Between them the requests go on side by side, each with episodes of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from eagle.environment.rewrite import Rewrite
    from eagle.environment.steering import Observation, Writer
    from eagle.latent.base import TextEncoder
    from eagle.policies.base import Agent


@dataclass(frozen=True)
class WriterInTurn:
    """A writer behind a lock."""

    inner: Writer
    lock: Lock

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
        """Rewrite, as the inner writer would."""
        with self.lock:
            return self.inner.rewrite(texts, actions, seeds)


@dataclass(frozen=True)
class EncoderInTurn:
    """An encoder behind a lock, which places every text by itself.

    In a batch the last bits of a point depend on what stands beside its text; here equal texts have equal points,
    whatever else a request asks for.
    """

    inner: TextEncoder
    lock: Lock

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        """Return (n, d), as the inner encoder would one by one."""
        with self.lock:
            rows = [self.inner.encode([text], [year])[0] for text, year in zip(texts, years, strict=True)]
        return np.stack(rows)


@dataclass(frozen=True)
class AgentInTurn:
    """An agent behind a lock: its adapter is loaded, used and put back before anybody else writes."""

    inner: Agent
    lock: Lock

    @property
    def name(self) -> str:
        return self.inner.name

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        """Act, as the inner agent would."""
        with self.lock:
            return self.inner.act(observations, seeds)
