"""An environment for on-policy training whose answers are known: it pays for actions that hold a letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from eagle.training.rollouts import Rules

LISTED = ("Add a love story.", "Set it in space.")


@dataclass(frozen=True)
class Place:
    """Case and observation in one."""

    case: int
    anchor: str = "a"
    user: str = "u"
    text: str = "Genres: war."
    year: int | None = None
    step: int = 0
    history: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    observation: Place
    reward: float | None
    done: bool
    cause: str | None = None
    copied: bool = False


@dataclass
class Counting:
    """Pays 1 for every action that contains the wanted letter; fails for the cases told to."""

    wanted: str = "e"
    failing: frozenset[int] = frozenset()
    running: list[Place] = field(default_factory=list)
    horizon: int = 0

    def reset(self, cases: Sequence[Any], seed: int, horizon: int) -> list[Any]:
        self.horizon = horizon
        self.running = list(cases)
        return list(cases)

    def step(self, actions: Sequence[str]) -> list[Any]:
        outcomes = []
        for place, action in zip(self.running, actions, strict=True):
            after = replace(place, step=place.step + 1, history=(*place.history, action))
            if place.case in self.failing:
                outcomes.append(Outcome(after, None, True, "no text"))
            else:
                outcomes.append(Outcome(after, float(self.wanted in action), after.step == self.horizon))
        self.running = [o.observation for o in outcomes if not o.done]
        return outcomes


def rules(**settings: Any) -> Rules:
    values: dict[str, Any] = {"temperature": 1.0, "epsilon": 0.0, "repeat": True, "horizon": 2} | settings
    return Rules(
        prompt=lambda o: "Action:",
        actions=lambda anchor: LISTED,
        explore=lambda anchor, action: float(action == LISTED[1]),
        **values,
    )
