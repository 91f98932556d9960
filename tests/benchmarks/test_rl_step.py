"""The benchmark of a policy-gradient step runs, at tiny size, and so does its peer where it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from benchmarks import rl_step
from benchmarks.records import Setting
from benchmarks.rl_step import SIZES, our_steps, prompts, trl_steps
from tests.tiny import build_tiny_llm


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_llm(tmp_path_factory.mktemp("llm") / "model")


def test_our_side_takes_every_step(base: Path) -> None:
    assert [seconds > 0 for seconds in our_steps(base, SIZES["tiny"], 2)] == [True, True]


def test_prompts_are_distinct(base: Path) -> None:
    found = prompts(AutoTokenizer.from_pretrained(base), SIZES["tiny"])
    assert len(set(found)) == SIZES["tiny"].prompts


@pytest.mark.filterwarnings("ignore")  # the peer's own
def test_the_peer_takes_every_step(base: Path) -> None:
    pytest.importorskip("trl", reason="a benchmark dependency")
    assert len(trl_steps(base, SIZES["tiny"], 2)) == 2


def test_without_a_model_each_figure_leaves_a_line(tmp_path: Path) -> None:
    records = rl_step.measure(Setting("tiny", project=tmp_path)).records
    assert [(r.name, r.ours) for r in records] == [("rl_step_tokens", None), ("rl_step_memory", None)]
    assert all("make run" in r.note for r in records)
