"""What every kind of workers promises."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from eagle.compute.sharding import ShardCache, in_order
from eagle.compute.workers import WorkerFactory, Workers
from eagle.core.artifacts import read_json
from eagle.core.costs import account
from eagle.core.errors import EagleError
from tests.compute.work import PROBLEMS, Squares

OpenWorkers = Callable[[WorkerFactory], AbstractContextManager[Workers]]


class WorkersContract:
    """Derive from this and give a fixture ``opened`` that opens workers of the kind."""

    def test_every_question_is_answered_in_its_place_by_work_that_is_opened_once(
        self, opened: OpenWorkers, tmp_path: Path
    ) -> None:
        log = tmp_path / "log"
        with opened(Squares(log)) as workers:
            assert list(workers.map([])) == []
            assert not log.exists()  # nothing asked, nothing opened
            assert sorted(workers.map([5, 3, 5])) == [(0, 25), (1, 9), (2, 25)]
            assert in_order(workers, list(range(20))) == [n * n for n in range(20)]
        processes = log.read_text(encoding="utf-8").split()
        assert len(processes) == len(set(processes))

    def test_tokens_count_towards_the_open_account(self, opened: OpenWorkers, tmp_path: Path) -> None:
        with opened(Squares()) as workers:
            with account("a", tmp_path / "a.json"):
                in_order(workers, [1, 2, 3])
                in_order(workers, [4])
            costs = read_json(tmp_path / "a.json")
        assert (costs["calls"], costs["new_tokens"], costs["prompt_tokens"]) == (4, 10, 0)

    def test_errors_arrive_whole_and_finished_answers_are_kept(self, opened: OpenWorkers, tmp_path: Path) -> None:
        kept = ShardCache(tmp_path, "x")
        with opened(Squares()) as workers:
            with pytest.raises(EagleError) as caught:
                kept.answers(workers, [2, 3, "no number"])
            assert caught.value.problems == PROBLEMS
            assert kept.answers(workers, [2, 3, 4]) == [4, 9, 16]
            with pytest.raises(TypeError):  # a bug goes through as what it is
                kept.answers(workers, [None])
