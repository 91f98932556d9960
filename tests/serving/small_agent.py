"""A steerer over a made-up catalogue, whose engine and writer cost nothing and notice what would go wrong if shared."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from eagle.actions.candidate_list import CandidateList
from eagle.config import parse_config
from eagle.core.seeding import derive_seed
from eagle.engine.base import Completion, SamplingSpec, Usage
from eagle.environment.rewrite import Rewrite
from eagle.latent.space import LatentSpace
from eagle.latent.utility import PaperUtility
from eagle.policies.agents import LoraAgent
from eagle.serving.steer import Steerer
from tests.policies.engine_scorer import EngineScorer

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
    seconds: float = 0.001  # that a call takes: lets another thread in, where nothing keeps it out
    calls: int = 0
    inside: int = 0
    mixed: list[str] = field(default_factory=list)

    def enter(self, adapter: Path | None) -> None:
        self.inside += 1
        self.calls += 1
        time.sleep(self.seconds)
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
