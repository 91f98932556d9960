"""Shards: cut by content, answered once, kept until they are used."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tqdm import tqdm

from eagle.compute.cutting import cut
from eagle.compute.sharding import ShardCache, answer_shards, open_workers
from eagle.compute.workers import InProcess, WorkerFactory, Workers
from eagle.config import Config, LLMConfig, parse_config
from eagle.core.errors import EagleError
from eagle.core.progress import one_more
from eagle.environment.rewrite import Rewrite
from eagle.environment.sharded import ShardedRewriter
from tests.compute.contract import OpenWorkers, WorkersContract


class TestInProcess(WorkersContract):
    @pytest.fixture
    def opened(self) -> OpenWorkers:
        def opened(factory: WorkerFactory) -> AbstractContextManager[Workers]:
            return open_workers(LLMConfig(), factory)

        return opened


@given(st.lists(st.integers(1, 9), max_size=40), st.integers(1, 20))
def test_shards_hold_whole_items_in_order_and_are_full_with_their_last(sizes: list[int], rows: int) -> None:
    shards = cut(sizes, rows, lambda size: size)
    assert [size for shard in shards for size in shard] == sizes
    assert all(sum(shard[:-1]) < rows for shard in shards)
    assert all(sum(shard) >= rows for shard in shards[:-1])


@dataclass
class Backwards:
    """Workers that answer the last question first and may break."""

    asked: list[Any] = field(default_factory=list)
    breaks_after: int = 10**9

    def map(self, questions: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        for place, question in reversed(list(enumerate(questions))):
            if len(self.asked) >= self.breaks_after:
                raise KeyboardInterrupt
            self.asked.append(question)
            yield place, {"to": question}


def test_an_answer_that_a_disk_has_damaged_is_asked_for_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whichever byte it is."""
    right = ShardCache(tmp_path, "x").answers(Backwards(), ["a"])
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    for place in range(len(whole)):
        kept.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        workers = Backwards()
        assert ShardCache(tmp_path, "x").answers(workers, ["a"]) == right
        assert bool(workers.asked) == ("damaged" in caplog.text)
        caplog.clear()


def test_what_was_read_and_found_whole_is_the_answer(tmp_path: Path) -> None:
    """Whatever becomes of the file after that."""
    cache = ShardCache(tmp_path, "x")
    right = cache.answers(Backwards(), ["a", "b"])
    assert cache.answers(Backwards(), ["a", "b"], lambda _: cache.clear()) == right
    assert not tmp_path.exists()


def test_the_order_in_which_answers_come_does_not_matter(tmp_path: Path) -> None:
    done: list[int] = []
    assert ShardCache(tmp_path, "x").answers(Backwards(), ["a", "b", "c"], done.append) == [{"to": q} for q in "abc"]
    assert sorted(done) == [0, 1, 2]


def test_a_killed_run_goes_on_and_asks_nothing_twice(tmp_path: Path) -> None:
    cache, broken, resumed = ShardCache(tmp_path, "x"), Backwards(breaks_after=2), Backwards()
    with pytest.raises(KeyboardInterrupt):
        cache.answers(broken, [1, 2, 3, 4])
    assert cache.answers(resumed, [1, 2, 3, 4]) == [{"to": n} for n in (1, 2, 3, 4)]
    assert (broken.asked, resumed.asked) == ([4, 3], [2, 1])


@pytest.mark.parametrize("cached", [True, False])
def test_shards_are_asked_as_their_questions_and_answered_in_order(tmp_path: Path, cached: bool) -> None:
    workers, shards = Backwards(), cut(range(5), 2)
    cache = ShardCache(tmp_path, "x") if cached else None
    for _ in range(2):
        answers = answer_shards(
            shards, workers, cache, question=lambda shard: ["sum", *shard], title="sums", unit="number"
        )
        assert answers == [{"to": ["sum", 0, 1]}, {"to": ["sum", 2, 3]}, {"to": ["sum", 4]}]
    assert len(workers.asked) == (3 if cached else 6)


def test_the_bar_counts_what_it_is_told_to_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = ShardCache(tmp_path, "x")
    answer_shards([[1, 2], [3]], Backwards(), cache, title="texts", unit="text", count=lambda shard: 10 * len(shard))
    assert "30/30" in capsys.readouterr().err


def test_rows_move_the_bar_within_a_shard_and_never_beyond_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first row of each shard of three is written twice, as where a text was no good."""
    shown = tqdm(total=5, disable=False, file=io.StringIO())
    monkeypatch.setattr("eagle.compute.sharding.bar", lambda *_: shown)
    seen: list[int] = []

    def answer(question: list[int]) -> list[int]:
        for _ in (question[0], *question):
            one_more()
            seen.append(int(shown.n))
        return question

    workers = InProcess(lambda: answer)
    answer_shards([[1, 2, 3], [4, 5]], workers, ShardCache(tmp_path, "x"), title="texts", unit="text")
    assert seen == [1, 2, 3, 3, 4, 5, 5]
    assert shown.n == 5
    one_more()  # nobody listens any more
    assert shown.n == 5


def test_where_nothing_is_asked_no_bar_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer_shards([], Backwards(), ShardCache(tmp_path, "x"), title="texts", unit="text") == []
    assert capsys.readouterr().err == ""


def test_answers_are_told_apart_by_all_that_they_depend_on(tmp_path: Path) -> None:
    asked = Backwards()
    ShardCache(tmp_path, ["model", 1]).answers(asked, [["q", 1]])
    for surroundings, question in ((["other model", 1], ["q", 1]), (["model", 2], ["q", 1]), (["model", 1], ["q", 2])):
        ShardCache(tmp_path, surroundings).answers(asked, [question])
    assert len(asked.asked) == 4
    ShardCache(tmp_path, ["model", 1]).answers(asked, [["q", 1]])
    assert len(asked.asked) == 4
    ShardCache(tmp_path, None).clear()
    assert not tmp_path.exists()


@dataclass
class Echo:
    """An environment that answers with the request itself."""

    shards: list[list[Any]] = field(default_factory=list)

    def __call__(self, question: list[Any]) -> list[dict[str, Any]]:
        self.shards.append(question[1])
        return [{"text": f"{text} {action} {seed}", "tokens": 7} for text, action, seed in question[1]]


REQUESTS = ([f"t{n % 5}" for n in range(20)], ["a", "b"] * 10, [n % 4 for n in range(20)])
EXPECTED = [Rewrite(f"{t} {a} {s}", tokens=7) for t, a, s in zip(*REQUESTS, strict=True)]


def test_equal_requests_are_asked_once_and_answers_keep_their_place(tmp_path: Path) -> None:
    echo = Echo()
    rewriter = ShardedRewriter(InProcess(lambda: echo), 6, ShardCache(tmp_path, "x"))
    assert rewriter.rewrite(*REQUESTS) == EXPECTED
    assert rewriter.rewrite(*REQUESTS) == EXPECTED
    assert [len(shard) for shard in echo.shards] == [6, 6, 6, 2]
    assert rewriter.rewrite([*REQUESTS[0], "new"], [*REQUESTS[1], "c"], [*REQUESTS[2], 9])[-1].text == "new c 9"
    assert [len(shard) for shard in echo.shards] == [6, 6, 6, 2, 1]


def test_without_a_folder_nothing_is_remembered() -> None:
    echo = Echo()
    rewriter = ShardedRewriter(InProcess(lambda: echo), 6)
    assert rewriter.rewrite(*REQUESTS) == rewriter.rewrite(*REQUESTS) == EXPECTED
    assert len(echo.shards) == 8


def test_where_work_is_done_is_not_what_it_depends_on() -> None:
    here, there = LLMConfig(), LLMConfig(cluster="local", workers=8)
    assert here.decisive() == there.decisive()
    assert here.decisive() != LLMConfig(shard_rows=1).decisive()
    assert set(LLMConfig.model_fields) - set(here.decisive()) == LLMConfig.idle() > {"cluster", "workers"}
    assert Config().decisive() == Config().model_dump(mode="json")


def test_workers_without_a_cluster_and_a_cluster_beside_an_endpoint_are_clear_errors() -> None:
    with pytest.raises(EagleError, match=r"llm.workers above 1 needs llm.cluster"):
        parse_config({"llm": {"workers": 2}})
    with pytest.raises(EagleError, match=r"an endpoint spreads its work itself"):
        parse_config({"llm": {"cluster": "local", "endpoint": "http://localhost:8000/v1"}})
