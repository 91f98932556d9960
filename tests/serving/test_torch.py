"""A served agent over the real engine: requests at once get what each gets alone, texts and log-probabilities alike."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from eagle.engine.base import SamplingSpec
from eagle.engine.torch.model import TorchModel
from eagle.environment.rewrite import Rewrite
from eagle.serving.steer import Steerer
from eagle.serving.trajectories import ServedTrajectory
from eagle.serving.turns import time_limit
from tests.policies.engine_scorer import EngineScorer
from tests.serving.small_agent import ITEMS, USERS, Engine, steerer
from tests.tiny import build_tiny_adapter, build_tiny_llm

AT_ONCE = 16


@dataclass(frozen=True)
class Continuing:
    """A writer that adds what the plain model says next."""

    model: TorchModel

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
        prompts = [f"{text} {action}" for text, action in zip(texts, actions, strict=True)]
        written = self.model.generate(prompts, SamplingSpec(8, 1.0), seeds)
        return [Rewrite(f"{text} {new.text}") for text, new in zip(texts, written, strict=True)]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Steerer:
    folder: Path = tmp_path_factory.mktemp("torch")
    base = build_tiny_llm(folder / "llm")
    model = TorchModel(base, dtype="float32", device="cpu", single=True)
    made_up = steerer(Engine())
    agent = replace(
        made_up.agent,
        model=model,
        adapter=build_tiny_adapter(folder / "adapter", base),
        scorer=EngineScorer(model),
        temperature=1.0,
        draws=2,
    )
    return replace(made_up, agent=agent, writer=Continuing(model))


def _ask(opened: Steerer, number: int) -> list[ServedTrajectory]:
    pairs = [(USERS[(number + row) % 3], ITEMS[number % 4]) for row in range(1 + number % 2)]
    with time_limit(600):
        return opened.steer(pairs, seed=number, horizon=1)


def test_requests_at_once_get_what_each_gets_alone(opened: Steerer) -> None:
    alone = [_ask(opened, number) for number in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        together = list(threads.map(lambda number: _ask(opened, number), range(AT_ONCE)))
    assert together == alone
    assert len({trajectory.text for found in alone for trajectory in found}) > AT_ONCE // 4
