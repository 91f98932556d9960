"""The benchmark of generation runs, at tiny size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import generation
from benchmarks.generation import SIZES, Size, Write, ours, prompts, records, transformers
from tests.tiny import build_tiny_llm

TINY = SIZES["tiny"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_llm(tmp_path_factory.mktemp("llm") / "model")


def test_prompts_are_distinct_and_begin_alike(base: Path) -> None:
    found = prompts(base, TINY)
    assert len(set(found)) == TINY.texts * TINY.actions
    assert len({prompt[:200] for prompt in found}) == 1


@pytest.mark.parametrize("side", [ours, transformers])
@pytest.mark.parametrize("batch", [1, 2])
def test_a_side_writes_what_was_asked(base: Path, side: Callable[[Path, Size, int], Write], batch: int) -> None:
    write = side(base, TINY, batch)
    found = prompts(base, TINY)
    assert len(found) <= write(found) <= len(found) * TINY.new


def test_a_record_for_each_goal(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "measure", generation.figure)  # in this process: starting others takes longer than all they do
    found = records(base, size="tiny", runs=1)
    assert [record["name"] for record in found] == ["generation_batch_1", "generation_best"]
    assert all(record["ours"] > 0 and record["peer"] > 0 and record["ratio"] > 0 for record in found)


def test_a_side_is_measured_in_a_process_of_its_own(base: Path) -> None:
    assert generation.measure("ours", base, None, "tiny", 2) > 0
