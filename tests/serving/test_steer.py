"""An agent at work: requests side by side keep their own seeds and horizons, and a rounded text says that it is one."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

import eagle.serving
from eagle.actions.candidate_list import CandidateList
from eagle.config import parse_config
from eagle.core.errors import EagleError
from eagle.core.seeding import derive_seed
from eagle.engine.base import Completion, SamplingSpec, Usage
from eagle.environment.rewrite import Rewrite
from eagle.latent.space import LatentSpace
from eagle.latent.utility import PaperUtility
from eagle.policies.agents import EngineScorer, LoraAgent
from eagle.serving.steer import Steerer, rounding
from eagle.serving.trajectories import ServedTrajectory, render

USERS, ITEMS = ("u0", "u1", "u2"), ("i0", "i1", "i2", "i3")


@dataclass
class Engine:
    """Writes a text that depends on prompt and seed; counts what would go wrong in one that is shared out of turn."""

    name: str = "engine"
    fingerprint: str = "0"
    arithmetic: str = ""
    batch_invariant: bool = True
    usage: Usage = field(default_factory=Usage)
    adapter: Path | None = None
    inside: int = 0
    mixed: list[str] = field(default_factory=list)

    def enter(self, adapter: Path | None) -> None:
        self.inside += 1
        time.sleep(0.001)  # lets another thread in, where nothing keeps it out
        if self.inside != 1 or self.adapter != adapter:
            self.mixed.append(f"{self.inside} inside, adapter {self.adapter}, not {adapter}")
        self.inside -= 1

    def generate(
        self, prompts: Sequence[str], spec: SamplingSpec, seeds: Sequence[int], forbidden: Sequence[Sequence[str]] = ()
    ) -> list[Completion]:
        self.enter(Path("adapter"))
        return [
            Completion(f"Add scene {'abcdefghijklmnop'[derive_seed(s, p) % 16]}.")
            for p, s in zip(prompts, seeds, strict=True)
        ]

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> list[np.ndarray]:
        return [np.zeros(1) for _ in prompts]

    def chat(self, messages: Sequence[tuple[str, str]], prefill: str = "") -> str:
        return prefill

    def load_adapter(self, folder: Path | None) -> None:
        self.adapter = folder


@dataclass
class Writer:
    """Adds the action and a number drawn from the seed to the plot, with the engine's plain weights."""

    engine: Engine

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
        self.engine.enter(None)
        return [Rewrite(f"{t} {a} {s % 1000}.") for t, a, s in zip(texts, actions, seeds, strict=True)]


class Lengths:
    """A text's point: its length, and one; the last bits depend on the batch, as those of sentence models do."""

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        time.sleep(0.001)
        return np.array([[len(text) / 100 + 1e-6 * len(texts), 1.0] for text in texts], dtype=np.float32)


def steerer(engine: Engine, remark: str | None = None) -> Steerer:
    every = np.ones(4, bool)
    vectors = np.array([[0.3, 1.0], [0.5, 0.8], [0.9, 0.2], [0.1, 0.4]], np.float32)
    latent = LatentSpace(list(ITEMS), vectors, list(USERS), vectors[:3], dict.fromkeys(ITEMS), every, every[:3])
    listed = CandidateList(("Add a war.", "Add a robot.", "Add a dog."), {}, {})
    profiles = dict.fromkeys(USERS, "User likes war.")
    agent = LoraAgent("agent", engine, Path("adapter"), listed, profiles, EngineScorer(engine))
    texts = {item: f"Genres: war. Plot: Story of item {item}." for item in ITEMS}
    utility = PaperUtility.fit(latent, parse_config({"utility": {"neighbours": 1}}).utility)
    titles = {item: f"Film {item}" for item in ITEMS}
    return Steerer(agent, Writer(engine), Lengths(), utility, latent, texts, titles, horizon=3, remark=remark)


def ask(opened: Steerer, number: int) -> list[ServedTrajectory]:
    pairs = [(USERS[number % 3], ITEMS[number % 4]), ("u0", "i1")]
    return opened.steer(pairs, seed=number % 5, horizon=number % 3)


def test_requests_side_by_side_get_what_they_would_get_alone() -> None:
    alone = [ask(steerer(Engine()), number) for number in range(24)]
    engine = Engine()
    shared = steerer(engine)
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda number: ask(shared, number), range(24)))
    assert together == alone
    assert engine.mixed == []
    assert engine.adapter is None
    assert [len(found[0].steps) for found in together[:3]] == [4, 2, 3]  # 0: the agent's own horizon
    assert shared.agent.counts.acted == 0  # each request counts for itself


def test_a_shorter_request_is_the_beginning_of_a_longer_one() -> None:
    opened = steerer(Engine())
    (long,), (short,) = (opened.steer([("u1", "i2")], seed=7, horizon=horizon) for horizon in (3, 1))
    assert short.steps == long.steps[:2]


def test_samples_differ_and_the_first_has_the_seed_itself() -> None:
    opened = steerer(Engine())
    first, second = opened.samples("u1", "i2", samples=2, seed=7)
    assert [first] == opened.steer([("u1", "i2")], seed=7)
    assert (first.sample, second.sample) == (0, 1)
    assert first.text != second.text


def test_what_cannot_be_steered_is_said_at_once() -> None:
    opened = steerer(Engine())
    with pytest.raises(EagleError, match="unknown item 'Film i2'") as caught:
        opened.steer([("u9", "Film i2")], seed=0)
    assert len(caught.value.problems) == 2
    assert "give an id: i2 (Film i2)" in str(caught.value)
    with pytest.raises(EagleError, match="horizon"):
        opened.steer([("u1", "i2")], seed=0, horizon=-1)


def test_a_rounded_text_says_so_and_an_exact_one_says_nothing() -> None:
    half = parse_config({"llm": {"dtype": "bfloat16", "device": "cpu"}})
    remark = rounding(half, Engine(batch_invariant=False))
    assert remark == "written one row at a time in bfloat16: may differ from the evaluation's text"
    rounded = steerer(Engine(), remark).samples("u1", "i2", samples=1, seed=7)
    assert remark in render(rounded, as_json=False)
    assert json.loads(render(rounded, as_json=True))[0]["remark"] == remark
    full = parse_config({"llm": {"dtype": "float32", "device": "cpu"}})
    assert rounding(full, Engine()) is None
    exact = steerer(Engine()).samples("u1", "i2", samples=1, seed=7)
    assert "evaluation" not in render(exact, as_json=False)
    assert json.loads(render(exact, as_json=True))[0]["remark"] is None


@pytest.mark.filterwarnings("ignore:.*Any type hint")  # MLflow's own, when it is first imported
def test_a_registered_model_finds_its_class_where_every_version_looked_for_it() -> None:
    from eagle.serving.model import SteeringModel

    assert eagle.serving.SteeringModel is SteeringModel
    with pytest.raises(AttributeError, match="no attribute 'Other'"):
        _ = eagle.serving.Other
