"""The decision process over texts (paper, Sec. 4.2), many episodes side by side, and a checker of its contract.

1. State: the present text; the observation also names the user and the actions so far. Action: any text. Followed.
2. Transition: a frozen language model applies the action (:class:`eagle.environment.rewrite.Rewriter`). Followed.
3. Reward: U(E_D(x_H)) after H changes, None before (`reward="end"`). Followed; the paper's index H-1 differs from its
   figures, which score the text after H changes.
4. Ours: `reward="step"` gives U(x_t+1) - U(x_t) at every step; with gamma 1 the sum is the same objective, less U(x_0).
5. Ours: a generation that fails leaves the text as it is; that step has a cause and no reward, never a reward of 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from eagle.core.errors import EagleError, Problem
from eagle.core.seeding import derive_seed
from eagle.latent.utilities import finite

if TYPE_CHECKING:
    from eagle.environment.rewrite import Rewrite
    from eagle.latent.base import TextEncoder

Utility = Callable[[np.ndarray, Sequence[str]], np.ndarray]


class Writer(Protocol):
    """What applies actions: :class:`eagle.environment.rewrite.Rewriter` or another."""

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]: ...


@dataclass(frozen=True)
class Case:
    """Where an episode starts: a number to tell episodes apart, the anchor item with its text, and for whom."""

    case: int
    anchor: str
    user: str
    text: str
    year: int | None = None


@dataclass(frozen=True)
class Observation:
    """What an agent sees: ``step`` changes so far, by the actions in ``history`` (failed ones included)."""

    case: int
    anchor: str
    user: str
    step: int
    text: str
    year: int | None
    history: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepResult:
    """The outcome of one action. ``cause`` says why generation failed; ``reward`` is then None."""

    observation: Observation
    reward: float | None
    done: bool
    cause: str | None = None
    copied: bool = False


class Environment(Protocol):
    """The contract that :func:`check_environment` checks."""

    def reset(self, cases: Sequence[Case], seed: int, horizon: int) -> list[Observation]: ...

    def step(self, actions: Sequence[str]) -> list[StepResult]: ...


def change_seed(seed: int, text: str, action: str, sample: int = 0) -> int:
    """Return the seed of one change: it depends on the text and the action, not on who takes it or when."""
    return derive_seed(seed, "environment", text, action, sample)


class SteeringEnvironment:
    """Episodes over texts. The seed of a change depends on (seed, text, action, sample) only, so that whoever takes
    the same action on the same text gets the same next text.

    ``utility(z, users)`` values latent points (n, d) for n users. An object holds the episodes of one :meth:`reset`;
    who plays for several requests at once makes one for each, over the same writer, encoder and utility.
    """

    def __init__(
        self,
        writer: Writer,
        encoder: TextEncoder,
        utility: Utility,
        *,
        reward: Literal["end", "step"] = "end",
        sample: int = 0,
    ) -> None:
        self.reward = reward
        self.sample = sample
        self._writer = writer
        self._encoder = encoder
        self._utility = utility
        self._seed = 0
        self._horizon = 0
        self._episodes: list[Observation] = []
        self._failed: list[bool] = []
        self._values: np.ndarray = np.zeros(0)

    def reset(self, cases: Sequence[Case], seed: int, horizon: int) -> list[Observation]:
        """Start one episode of ``horizon`` changes per case and return what the agent sees.

        ``seed`` decides what is drawn in these episodes. Raises ValueError where the horizon is below 1.
        """
        if horizon < 1:
            raise ValueError(f"horizon must be at least 1, got {horizon}")
        self._seed, self._horizon = seed, horizon
        self._episodes = [Observation(c.case, c.anchor, c.user, 0, c.text, c.year) for c in cases]
        self._failed = [False] * len(cases)
        self._values = self._value(self._episodes) if self.reward == "step" else np.zeros(len(cases))
        return list(self._episodes)

    def step(self, actions: Sequence[str]) -> list[StepResult]:
        """Apply one action per running episode, in order, and return the outcomes.

        Episodes in which a generation failed may be dropped by giving actions for the others only.
        """
        self._drop_failed(len(actions))
        before = self._episodes
        seeds = [
            change_seed(self._seed, o.text, action, self.sample) for o, action in zip(before, actions, strict=True)
        ]
        rewrites = self._writer.rewrite([o.text for o in before], list(actions), seeds)
        self._episodes = [
            replace(o, step=o.step + 1, text=o.text if r.text is None else r.text, history=(*o.history, a))
            for o, a, r in zip(before, actions, rewrites, strict=True)
        ]
        self._failed = [f or r.text is None for f, r in zip(self._failed, rewrites, strict=True)]
        rewards = self._rewards([r.text is not None for r in rewrites])
        return [
            StepResult(
                o, reward, o.step == self._horizon, None if r.text is not None else r.cause or "failed", r.copied
            )
            for o, r, reward in zip(self._episodes, rewrites, rewards, strict=True)
        ]

    def _drop_failed(self, actions: int) -> None:
        if not self._episodes or self._episodes[0].step == self._horizon:
            raise RuntimeError("no episode is running: call reset first")
        if actions == len(self._episodes):
            return
        running = [i for i, failed in enumerate(self._failed) if not failed]
        if actions != len(running):
            raise ValueError(
                f"{actions} actions for {len(self._episodes)} running episodes ({len(running)} without a failure)"
            )
        self._episodes = [self._episodes[i] for i in running]
        self._failed = [False] * len(running)
        self._values = self._values[running]

    def _rewards(self, fine: Sequence[bool]) -> list[float | None]:
        at_end = self._episodes[0].step == self._horizon
        if self.reward == "end" and not at_end:
            return [None] * len(fine)
        values = self._value(self._episodes)
        gained = values - self._values
        self._values = values if self.reward == "step" else self._values
        return [float(g) if ok else None for g, ok in zip(gained, fine, strict=True)]

    def _value(self, seen: Sequence[Observation]) -> np.ndarray:
        """Return U of every episode's present text, (n,)."""
        if not seen:
            return np.zeros(0)
        points = self._encoder.encode([o.text for o in seen], [o.year for o in seen])
        return finite(self._utility(points, [o.user for o in seen]))


def check_environment(
    environment: Environment,
    cases: Sequence[Case],
    actions: Sequence[str] = ("Add a love story.",),
    *,
    seed: int = 0,
    horizon: int = 3,
) -> None:
    """Play ``cases`` to the end twice and raise one :class:`EagleError` with every breach of the contract.

    The contract: one observation per case and one step per action, in order; texts are not empty; steps and histories
    grow by one; a failed step has a cause, no reward and the text before it; rewards are None or finite, and the last
    step of an episode without failures has one; episodes end at the horizon, after which a step is refused; a wrong
    number of actions is refused; the same cases and actions give the same steps.
    """
    problems: list[Problem] = []
    play = _Play(environment, cases, actions, seed, horizon)
    first = play.run(problems)
    if not problems and first != play.run(problems):
        problems.append(
            Problem(
                "two runs with the same cases and actions differ",
                mend="derive every draw from the seed, text and action",
            )
        )
    if not problems:
        play.check_refusals(problems)
    if problems:
        raise EagleError(dict.fromkeys(problems))


@dataclass(frozen=True)
class _Play:
    """Episodes that the checker plays in an environment, with actions that take turns."""

    environment: Environment
    cases: Sequence[Case]
    actions: Sequence[str]
    seed: int
    horizon: int

    def run(self, problems: list[Problem]) -> list[list[StepResult]]:
        """Play to the end; return the steps, and add to ``problems`` what breaks the contract."""
        seen = self.environment.reset(self.cases, self.seed, self.horizon)
        expected = [Observation(c.case, c.anchor, c.user, 0, c.text, c.year) for c in self.cases]
        if list(seen) != expected:
            problems.append(Problem("reset does not return the cases' own start", str(seen)[:200], str(expected)[:200]))
            return []
        played: list[list[StepResult]] = []
        for number in range(self.horizon):
            chosen = [self.actions[(number + row) % len(self.actions)] for row in range(len(self.cases))]
            steps = self.environment.step(chosen)
            if len(steps) != len(chosen):
                problems.append(
                    Problem("step returns another number of steps than actions", str(len(steps)), str(len(chosen)))
                )
                return played
            failed = {s.observation.case for row in played for s in row if s.cause is not None}
            for before, action, step in zip(seen, chosen, steps, strict=True):
                problems += _check_step(before, action, step, number + 1 == self.horizon, before.case in failed)
            played.append(list(steps))
            seen = [step.observation for step in steps]
        return played

    def check_refusals(self, problems: list[Problem]) -> None:
        """Add to ``problems`` what the environment takes although it must not; it stands at its horizon."""
        if self._accepts([self.actions[0]] * len(self.cases)):
            problems.append(Problem("a step after the horizon is accepted", expected="an exception"))
        self.environment.reset(self.cases, self.seed, self.horizon)
        if self._accepts([self.actions[0]] * (len(self.cases) + 1)):
            problems.append(Problem("more actions than episodes are accepted", expected="an exception"))

    def _accepts(self, actions: Sequence[str]) -> bool:
        try:
            self.environment.step(actions)
        except (RuntimeError, ValueError, IndexError, EagleError):
            return False
        return True


def _check_step(before: Observation, action: str, step: StepResult, last: bool, failed_before: bool) -> list[Problem]:
    now, where = step.observation, f"case {before.case}, step {before.step + 1}"
    kept = replace(before, step=before.step + 1, history=(*before.history, action), text=now.text)
    missing = last and step.cause is None and not failed_before and step.reward is None
    rules = {
        "step, history, case, anchor, user or year is wrong": now != kept,
        "the text is empty": not now.text.strip(),
        "a failed step changed the text": step.cause is not None and now.text != before.text,
        "a failed step has a reward; it must be None, never 0": step.cause is not None and step.reward is not None,
        "the reward is not a finite number": step.reward is not None and not math.isfinite(step.reward),
        "the last step has no reward": missing,
        f"done is {step.done}": step.done != last,
    }
    return [Problem(f"{where}: {rule}", found=str(step)[:300]) for rule, broken in rules.items() if broken]
