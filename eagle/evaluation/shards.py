"""Finished parts of an unfinished evaluation: a killed run goes on from them and ends with the same tables."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eagle.artifacts import read_json, write_json
from eagle.progress import bar

if TYPE_CHECKING:
    from eagle.environment import Observation
    from eagle.llm.rewrite import Rewrite, Rewriter
    from eagle.policies.base import Agent

CHUNK = 256  # requests per shard: some 20 seconds of work on two cores


@dataclass(frozen=True)
class Shards:
    """Results by what they were asked with, so that a changed question never finds an old answer.

    ``surroundings`` stands for everything that decides the answers beside the question: models, adapters, parameters.
    """

    folder: Path
    surroundings: str

    def remember(self, question: Any, answer: Callable[[], list[Any]]) -> list[Any]:
        """Return the stored answer to a JSON-able question, or ask and store it."""
        key = hashlib.sha256(json.dumps([self.surroundings, question]).encode()).hexdigest()[:32]
        path = self.folder / f"{key}.json"
        if not path.exists():
            write_json(path, {"answer": answer()})
        found: list[Any] = read_json(path)["answer"]
        return found

    def clear(self) -> None:
        """Forget everything; the finished tables replace it."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class ShardedRewriter:
    """A rewriter that asks for equal requests once and keeps what is finished."""

    inner: Rewriter
    shards: Shards
    label: str = "environment texts"

    def rewrite(self, texts: Sequence[str], actions: Sequence[str], seeds: Sequence[int]) -> list[Rewrite]:
        """Rewrite every text by its action; see :class:`eagle.llm.rewrite.Rewriter`."""
        requests = list(zip(texts, actions, seeds, strict=True))
        unique = list(dict.fromkeys(requests))
        answers: dict[tuple[str, str, int], Rewrite] = {}
        with bar(len(unique), self.label, "text") as progress:
            for start in range(0, len(unique), CHUNK):
                chunk = unique[start : start + CHUNK]
                answers |= dict(zip(chunk, self._chunk(chunk), strict=True))
                progress.update(len(chunk))
        return [answers[request] for request in requests]

    def _chunk(self, chunk: list[tuple[str, str, int]]) -> list[Rewrite]:
        from eagle.llm.rewrite import Rewrite

        texts, actions, seeds = (list(column) for column in zip(*chunk, strict=True))
        stored = self.shards.remember(["rewrite", chunk], lambda: [asdict(r) for r in self.inner.rewrite(texts, actions, seeds)])
        return [Rewrite(**fields) for fields in stored]


def sharded_actions(
    agent: Agent, observations: Sequence[Observation], seeds: Sequence[int], shards: Shards
) -> tuple[list[str], Counter[str]]:
    """Return what ``agent`` does, and how often what happened (its ``counts``, where it has some); from the shards where it already did."""
    seen = [[o.case, o.anchor, o.user, o.step, o.text, list(o.history)] for o in observations]

    def act() -> list[Any]:
        before = _counts(agent)
        actions = agent.act(observations, seeds)
        return [actions, dict(_counts(agent) - before)]

    actions, counts = shards.remember(["act", agent.name, seen, list(seeds)], act)
    return actions, Counter(counts)


def _counts(agent: Agent) -> Counter[str]:
    counts = getattr(agent, "counts", None)
    return Counter() if counts is None else Counter(asdict(counts))
