"""Where memory runs out the batch is halved, and nothing else changes; where one row is too much there is one clear
error.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.core.errors import EagleError
from eagle.engine.base import Completion, SamplingSpec
from eagle.engine.cache import CachedModel, CompletionStore
from eagle.engine.torch.model import TorchModel
from eagle.testing.engines import ASKED, HEAD

SPEC = SamplingSpec(12, 1.2, 0.9, stop=(" ", "e"))  # ends rows early, some of them at once
ROWS = 20
CUDA = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
ONEDNN = RuntimeError("could not create a primitive")  # met by hand, in bfloat16
PROCESSOR = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate"
)


@pytest.fixture(scope="module")
def engine(tiny_llm: Path) -> TorchModel:
    return TorchModel(tiny_llm, dtype="float32", device="cpu")


@pytest.fixture(scope="module")
def prompts(engine: TorchModel) -> list[str]:
    asked = [f"{ASKED[row % len(ASKED)]} {row}" for row in range(ROWS)]
    return [engine.chat([*HEAD, ("user", text)], prefill="Genres:") for text in asked[:-3]] + asked[-3:]


@pytest.fixture(scope="module")
def wanted(engine: TorchModel, prompts: list[str]) -> list[Completion]:
    return engine.generate(prompts, SPEC, range(ROWS))


@contextmanager
def room_for(model: TorchModel, cells: int, error: Exception) -> Iterator[list[int]]:
    """Let the network raise ``error`` above so many new positions in one pass; yields the sizes of all passes."""
    loop = model.loop
    network, rows, tokens, sizes = loop.network, model.batch_rows, model.scored_tokens, []

    def small(ids: torch.Tensor, *rest: Any) -> torch.Tensor:
        sizes.append(ids.numel())
        if ids.numel() > cells:
            raise error
        return network(ids, *rest)

    loop.network = small
    try:
        yield sizes
    finally:
        loop.network, model.batch_rows, model.scored_tokens = network, rows, tokens


def _texts(completions: list[Completion]) -> list[tuple[Any, ...]]:
    return [(done.token_ids, done.text, done.finish) for done in completions]


@given(st.integers(60, 600), st.sampled_from([CUDA, PROCESSOR, ONEDNN, MemoryError()]))
@settings(max_examples=5)
def test_in_float32_a_halved_batch_changes_no_text(
    engine: TorchModel, prompts: list[str], wanted: list[Completion], cells: int, error: Exception
) -> None:
    with room_for(engine, cells, error) as sizes:
        found = engine.generate(prompts, SPEC, range(ROWS))
    assert max(sizes[-3:]) <= cells
    assert _texts(found) == _texts(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.log_probs, other.log_probs, atol=1e-5)


def test_it_is_said_counted_and_kept(engine: TorchModel, prompts: list[str], caplog: pytest.LogCaptureFixture) -> None:
    before, arithmetic = engine.usage.halved, engine.arithmetic
    with room_for(engine, 100, CUDA) as sizes, caplog.at_level(logging.WARNING):
        engine.generate(prompts, SPEC, range(ROWS))
        rows, failed = engine.batch_rows, sum(size > 100 for size in sizes)
        said = [message.split(" (")[0] for message in caplog.messages]
        engine.generate(prompts, SPEC, range(ROWS))
        assert sum(size > 100 for size in sizes) == failed  # the second call begins where the first ended
    assert said[0] == "memory ran out with 20 rows at once: going on with 10"
    assert said[-1].endswith(f"going on with {rows}")
    assert engine.usage.halved - before == failed == len(said)
    assert engine.arithmetic == arithmetic


def test_rows_that_have_ended_are_not_written_again(
    engine: TorchModel, prompts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    loop = engine.loop
    decode, network = loop.decode, loop.network

    def counted(prefix: Any, shared: int, rows: Any, *others: Any) -> None:
        started.append(len(rows))
        decode(prefix, shared, rows, *others)

    monkeypatch.setattr(loop, "decode", counted)
    monkeypatch.setattr(engine, "batch_rows", ROWS)
    passes = 0

    def late(*given: Any) -> torch.Tensor:
        nonlocal passes
        passes += 1
        if passes == 9:
            raise CUDA
        return network(*given)

    monkeypatch.setattr(loop, "network", late)
    engine.generate(prompts, SPEC, range(ROWS))
    assert sum(started) < 2 * ROWS - 3


def test_in_bfloat16_texts_are_those_of_the_smaller_batch_and_remembered_as_such(
    tiny_llm: Path, prompts: list[str], tmp_path: Path
) -> None:
    def opened(rows: int) -> TorchModel:
        return TorchModel(tiny_llm, dtype="bfloat16", device="cpu", batch_rows=rows)

    tight, store = opened(ROWS), CompletionStore(tmp_path / "completions.sqlite")
    unhalved = tight.arithmetic
    with room_for(tight, 150, CUDA):
        found = CachedModel(tight, store).generate(prompts, SPEC, range(ROWS))
        rows = tight.batch_rows
    assert rows < ROWS
    assert tight.arithmetic == opened(rows).arithmetic != unhalved
    assert found == opened(rows).generate(prompts, SPEC, range(ROWS))
    for begun_with, remembered in ((ROWS, 0), (rows, sum(len(done.token_ids) for done in found))):
        again = CachedModel(opened(begun_with), store)
        again.generate(prompts, SPEC, range(ROWS))
        assert again.usage.remembered_tokens == remembered


def test_scores_are_those_of_larger_batches(engine: TorchModel, prompts: list[str]) -> None:
    tails = [" crime, war. Plot: A family moves", " robot", "", " a"] * 5
    wanted, halved = engine.score(prompts, tails), engine.usage.halved
    with room_for(engine, 150, PROCESSOR):
        found = engine.score(prompts, tails)
    assert engine.usage.halved > halved
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(("work", "doing"), [("generate", "writing"), ("score", "scoring")])
def test_where_one_row_is_too_much_there_is_one_clear_error(
    engine: TorchModel, prompts: list[str], work: str, doing: str
) -> None:
    arguments: tuple[Any, ...] = (prompts, SPEC, range(ROWS)) if work == "generate" else (prompts, prompts)
    with (
        room_for(engine, 0, CUDA),
        pytest.raises(EagleError, match=f"memory runs out while {doing} with the smallest batch") as caught,
    ):
        engine.loop.prefixes.clear()
        getattr(engine, work)(*arguments)
    (problem,) = caught.value.problems
    assert problem.found == str(CUDA)
    assert "llm.max_new_tokens" in problem.mend


def test_other_errors_go_through(engine: TorchModel, prompts: list[str]) -> None:
    with room_for(engine, 0, RuntimeError("a bug")), pytest.raises(RuntimeError, match="a bug"):
        engine.generate(prompts, SPEC, range(ROWS))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits on memory are kept by Linux only")
def test_an_allocator_that_has_no_more_is_heard(
    engine: TorchModel, prompts: list[str], wanted: list[Completion], monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    many, spec = (
        [prompt for prompt in prompts for _ in range(40)],
        SamplingSpec(2000, SPEC.temperature, SPEC.top_p, SPEC.stop),
    )
    seeds = [row for row in range(ROWS) for _ in range(40)]
    monkeypatch.setattr(engine, "batch_rows", len(many))
    halved, limits = engine.usage.halved, resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 200 * 2**20, limits[1]))
    try:
        found = engine.generate(many, spec, seeds)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert engine.usage.halved > halved
    assert 1 <= engine.batch_rows < len(many)
    ended = [row for row in range(ROWS) if wanted[row].finish == "stop"]
    assert ended
    for row in ended:
        assert set(_texts(found[40 * row : 40 * (row + 1)])) == set(_texts([wanted[row]]))
