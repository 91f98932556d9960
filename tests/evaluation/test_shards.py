"""Finished work is kept: a resumed evaluation asks for nothing twice and gets the same answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from eagle.evaluation import shards as module
from eagle.evaluation.shards import ShardedRewriter, Shards, sharded_actions
from eagle.llm.rewrite import Rewrite


@dataclass
class Recorder:
    """Answers with the request itself; may break after some requests."""

    asked: list[tuple[str, str, int]] = field(default_factory=list)
    breaks_after: int = 10**9

    def rewrite(self, texts: list[str], actions: list[str], seeds: list[int]) -> list[Rewrite]:
        if len(self.asked) >= self.breaks_after:
            raise KeyboardInterrupt
        self.asked += zip(texts, actions, seeds, strict=True)
        return [
            Rewrite(None, "empty", False, 3) if action == "fail" else Rewrite(f"{text} {action} {seed}", None, False, 7)
            for text, action, seed in zip(texts, actions, seeds, strict=True)
        ]


REQUESTS = ([f"t{n % 5}" for n in range(20)], ["a", "fail"] * 10, [n % 4 for n in range(20)])


def test_equal_requests_are_asked_once_and_answers_keep_their_place(tmp_path: Path) -> None:
    recorder = Recorder()
    answers = ShardedRewriter(recorder, Shards(tmp_path, "x")).rewrite(*REQUESTS)
    assert answers == Recorder().rewrite(*REQUESTS)
    assert len(recorder.asked) == len(set(zip(*REQUESTS, strict=True))) == len(set(recorder.asked))


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 3)
    broken, resumed = Recorder(breaks_after=9), Recorder()
    with pytest.raises(KeyboardInterrupt):
        ShardedRewriter(broken, Shards(tmp_path, "x")).rewrite(*REQUESTS)
    answers = ShardedRewriter(resumed, Shards(tmp_path, "x")).rewrite(*REQUESTS)
    assert answers == Recorder().rewrite(*REQUESTS)
    assert broken.asked
    assert not set(broken.asked) & set(resumed.asked)


def test_other_surroundings_find_nothing_and_clear_forgets(tmp_path: Path) -> None:
    first, second, third = Recorder(), Recorder(), Recorder()
    ShardedRewriter(first, Shards(tmp_path, "x")).rewrite(*REQUESTS)
    ShardedRewriter(second, Shards(tmp_path, "another model")).rewrite(*REQUESTS)
    Shards(tmp_path, "x").clear()
    ShardedRewriter(third, Shards(tmp_path, "x")).rewrite(*REQUESTS)
    assert len(first.asked) == len(second.asked) == len(third.asked)


@dataclass
class Counts:
    acted: int = 0
    fallen_back: int = 0


@dataclass
class Counting:
    name: str = "eagle_x"
    counts: Counts = field(default_factory=Counts)

    def act(self, observations: list[SimpleNamespace], seeds: list[int]) -> list[str]:
        self.counts.acted += len(observations)
        self.counts.fallen_back += 1
        return [f"do {seed}" for seed in seeds]


def test_actions_and_counts_survive_a_restart(tmp_path: Path) -> None:
    seen = [SimpleNamespace(case=n, anchor="i", user="u", step=0, text="t", history=("past",)) for n in range(3)]
    first, second = Counting(), Counting()
    for agent in (first, second):
        actions, counts = sharded_actions(agent, seen, [1, 2, 3], Shards(tmp_path, "x"))
        assert actions == ["do 1", "do 2", "do 3"]
        assert counts == Counter(acted=3, fallen_back=1)
    assert (first.counts.acted, second.counts.acted) == (3, 0)
    sharded_actions(second, seen, [1, 2, 4], Shards(tmp_path, "x"))
    assert second.counts.acted == 3
