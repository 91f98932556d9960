"""The decision process: rewards, failures, pairing of equal actions, and the checker that finds broken environments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from eagle.core.errors import EagleError
from eagle.core.seeding import derive_seed
from eagle.environment.rewrite import Rewrite
from eagle.environment.steering import Case, Observation, SteeringEnvironment, StepResult, check_environment

CASES = [Case(0, "m1", "u1", "a", 1990), Case(1, "m2", "u2", "bb"), Case(2, "m1", "u2", "a", 1990)]


class Appender:
    """Appends the action's first letter; action "fail" fails, "copy" copies."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int]] = []

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
        self.asked += zip(texts, actions, seeds, strict=True)
        return [self._one(text, action) for text, action in zip(texts, actions, strict=True)]

    @staticmethod
    def _one(text: str, action: str) -> Rewrite:
        if action == "fail":
            return Rewrite(None, "repetition")
        return Rewrite(text, copied=True) if action == "copy" else Rewrite(text + action[0])


class Lengths:
    """A text's point is its length and its year's last digit."""

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        return np.array([[len(t), (y or 0) % 10] for t, y in zip(texts, years, strict=True)], dtype=np.float32)


def utility(z: np.ndarray, users: Sequence[str]) -> np.ndarray:
    """The length, tenfold for u2."""
    return z[:, 0] * np.array([10.0 if user == "u2" else 1.0 for user in users])


def environment(**settings: object) -> SteeringEnvironment:
    return SteeringEnvironment(Appender(), Lengths(), utility, **settings)  # type: ignore[arg-type]


def test_reward_comes_at_the_end_only() -> None:
    env = environment()
    env.reset(CASES, 7, 3)
    steps = [env.step(["x"] * 3) for _ in range(3)]
    assert [[s.reward for s in row] for row in steps] == [[None] * 3, [None] * 3, [4.0, 50.0, 40.0]]
    assert [[s.done for s in row] for row in steps] == [[False] * 3, [False] * 3, [True] * 3]
    assert steps[2][1].observation == Observation(1, "m2", "u2", 3, "bbxxx", None, ("x", "x", "x"))


def test_step_rewards_add_up_to_the_gain() -> None:
    env = environment(reward="step")
    env.reset(CASES, 7, 3)
    steps = [env.step(["x", "copy", "y"]) for _ in range(3)]
    totals = [sum(row[i].reward or 0 for row in steps) for i in range(3)]
    assert totals == [3.0, 0.0, 30.0]
    assert all(s.reward is not None for row in steps for s in row)
    assert steps[0][1].copied


def test_a_failure_keeps_the_text_and_has_no_reward() -> None:
    env = environment(reward="step")
    env.reset(CASES, 7, 3)
    step = env.step(["fail", "x", "x"])[0]
    assert (step.observation.text, step.reward, step.cause, step.observation.step) == ("a", None, "repetition", 1)
    after = env.step(["x", "x", "x"])[0]
    assert (after.observation.text, after.reward) == ("ax", 1.0)


def test_failed_episodes_may_be_dropped() -> None:
    env = environment()
    env.reset(CASES, 7, 3)
    env.step(["x", "fail", "x"])
    steps = env.step(["y", "z"])
    assert [(s.observation.case, s.observation.text) for s in steps] == [(0, "axy"), (2, "axz")]
    assert [s.reward for s in env.step(["y", "z"])] == [4.0, 40.0]


def test_the_same_action_on_the_same_text_has_the_same_seed() -> None:
    writer = Appender()
    env = SteeringEnvironment(writer, Lengths(), utility, sample=2)  # type: ignore[arg-type]
    env.reset(CASES, 7, 3)
    env.step(["x", "x", "x"])
    asked = writer.asked
    assert asked[0] == asked[2] == ("a", "x", derive_seed(7, "environment", "a", "x", 2))
    assert asked[1][2] != asked[0][2]


@pytest.mark.parametrize("reward", ["end", "step"])
def test_two_environments_with_one_seed_agree(reward: str) -> None:
    one, other = environment(reward=reward), environment(reward=reward)
    assert one.reset(CASES, 7, 3) == other.reset(CASES, 7, 3)
    for actions in (["x", "fail", "y"], ["copy", "x", "x"], ["z", "z", "fail"]):
        assert one.step(actions) == other.step(actions)


def test_misuse_is_refused() -> None:
    env = environment()
    with pytest.raises(RuntimeError, match="call reset first"):
        env.step(["x"])
    env.reset(CASES, 7, 3)
    with pytest.raises(ValueError, match="2 actions for 3 running episodes"):
        env.step(["x", "x"])
    with pytest.raises(ValueError, match="horizon"):
        env.reset(CASES, 7, 0)


@pytest.mark.parametrize("reward", ["end", "step"])
def test_the_checker_passes_ours(reward: str) -> None:
    check_environment(environment(reward=reward), CASES, ("x", "fail", "copy", "y"))


class Broken(SteeringEnvironment):
    """An environment with one fault."""

    def __init__(self, fault: Callable[[StepResult], StepResult]) -> None:
        super().__init__(Appender(), Lengths(), utility)
        self._fault = fault

    def step(self, actions: Sequence[str]) -> list[StepResult]:
        return [self._fault(step) for step in super().step(actions)]


def _other(step: StepResult, **changes: object) -> StepResult:
    return replace(step, observation=replace(step.observation, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda s: replace(s, reward=0.0) if s.cause else s, "never 0"),
        (lambda s: replace(s, reward=float("nan")), "not a finite number"),
        (lambda s: replace(s, reward=None), "the last step has no reward"),
        (lambda s: replace(s, done=True), "done is True"),
        (lambda s: _other(s, history=()), "history"),
        (lambda s: _other(s, text=" "), "the text is empty"),
        (lambda s: _other(s, text="new") if s.cause else s, "a failed step changed the text"),
        (lambda s: _other(s, year=2000), "year is wrong"),
    ],
)
def test_the_checker_names_the_fault(fault: Callable[[StepResult], StepResult], message: str) -> None:
    with pytest.raises(EagleError, match=message):
        check_environment(Broken(fault), CASES, ("x", "x", "x", "fail"))


def test_the_checker_notices_chance() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(EagleError, match="two runs with the same cases and actions differ"):
        check_environment(Broken(lambda s: _other(s, text=str(rng.random())) if s.cause is None else s), CASES, ("x",))


class Endless(SteeringEnvironment):
    """Takes any number of actions, at any time."""

    def reset(self, cases: Sequence[Case], seed: int, horizon: int) -> list[Observation]:
        self._left, self._cases = horizon, len(cases)
        return super().reset(cases, seed, horizon)

    def step(self, actions: Sequence[str]) -> list[StepResult]:
        if self._left == 0:
            return []
        self._left -= 1
        return super().step(list(actions)[: self._cases])


def test_the_checker_tries_what_must_be_refused() -> None:
    with pytest.raises(EagleError) as caught:
        check_environment(Endless(Appender(), Lengths(), utility), CASES)
    assert len(caught.value.problems) == 2
