"""The benchmark of generation runs, at tiny size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import generation
from benchmarks.generation import SIZES, Size, Write, figure, measure, ours, prompts, side_of, transformers
from benchmarks.records import Setting
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


def test_a_record_for_each_goal(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = lambda side, folder, setting, batch: figure(side, folder, setting.size, batch)  # noqa: E731
    monkeypatch.setattr(generation, "side_of", here)  # starting processes takes longer than all they do
    (tmp_path / "models").mkdir()
    (tmp_path / "models/llm").symlink_to(base)
    found = {record.name: record for record in measure(Setting("tiny", runs=1, project=tmp_path)).records}
    assert set(found) == {"generation_batch_1", "generation_best", "engine_share"}
    for name in ("generation_batch_1", "generation_best"):
        assert found[name].ours and found[name].peer and found[name].ratio


def test_a_side_is_measured_in_a_process_of_its_own(base: Path) -> None:
    assert side_of("ours", base, Setting("tiny"), 2) > 0
