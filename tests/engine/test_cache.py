"""The cache of completions: nothing twice, nothing different, nothing lost, whoever else writes and whatever happens to
the file.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.core.errors import EagleError, Problem
from eagle.engine.base import Completion, Finish, SamplingSpec, Unfinished
from eagle.engine.cache import CachedModel, CompletionStore
from eagle.engine.scripted import ScriptedModel
from eagle.engine.torch.model import TorchModel
from eagle.testing.engines import ASKED, HEAD, LanguageModelContract

SPEC = SamplingSpec(40, 0.7)
KEYS = [bytes([n]) * 32 for n in range(40)]


@pytest.fixture
def store(tmp_path: Path) -> CompletionStore:
    return CompletionStore(tmp_path / ".cache/completions.sqlite")


@pytest.fixture(scope="module")
def engine(tiny_llm: Path) -> TorchModel:
    return TorchModel(tiny_llm, dtype="float32", device="cpu", batch_rows=3)


class TestContract(LanguageModelContract):
    @pytest.fixture
    def model(self, engine: TorchModel, store: CompletionStore) -> CachedModel:
        return CachedModel(engine, store)


class TestContractWithWholeCalls(LanguageModelContract):
    @pytest.fixture
    def model(self, tiny_llm: Path, store: CompletionStore) -> CachedModel:
        model = TorchModel(tiny_llm, dtype="float32", device="cpu")
        model.batch_invariant = False
        return CachedModel(model, store)


# what is remembered
# --------------------------------------------------------------------------------------------------------------
def test_only_what_is_missing_is_generated_and_once(store: CompletionStore) -> None:
    inner = ScriptedModel()
    model = CachedModel(inner, store)
    first = model.generate(["a", "b"], SPEC, [1, 2])
    again = model.generate(["b", "c", "c", "a", "b"], SPEC, [2, 3, 3, 1, 9])
    assert [asked[0] for asked in inner.asked] == [("a", "b"), ("c", "b")]
    assert [again[3], again[0]] == first
    assert again == ScriptedModel().generate(["b", "c", "c", "a", "b"], SPEC, [2, 3, 3, 1, 9])
    assert model.usage.remembered_tokens == sum(len(c.token_ids) for c in first)
    assert model.usage.new_tokens == sum(len(c.token_ids) for c in (*first, again[1], again[4]))


def test_a_second_process_starts_where_the_first_ended(store: CompletionStore) -> None:
    wanted = CachedModel(ScriptedModel(), store).generate(["a"], SPEC, [1])
    inner = ScriptedModel()
    assert CachedModel(inner, CompletionStore(store.path)).generate(["a"], SPEC, [1]) == wanted
    assert inner.asked == []


def test_everything_that_decides_a_text_is_part_of_its_key(store: CompletionStore, tmp_path: Path) -> None:
    asked = 0

    def ask(
        model: ScriptedModel, prompt: str = "a", spec: SamplingSpec = SPEC, seed: int = 1, adapter: str | None = None
    ) -> None:
        nonlocal asked
        cached = CachedModel(model, store)
        if adapter is not None:
            (tmp_path / "adapter").mkdir(exist_ok=True)
            (tmp_path / "adapter/weights").write_text(adapter)
            cached.load_adapter(tmp_path / "adapter")
        cached.generate([prompt], spec, [seed])
        asked += len(model.asked)

    changes: list[Callable[[], None]] = [
        lambda: ask(ScriptedModel()),
        lambda: ask(ScriptedModel(fingerprint="other")),
        lambda: ask(ScriptedModel(arithmetic="other")),
        lambda: ask(ScriptedModel(), prompt="b"),
        lambda: ask(ScriptedModel(), seed=2),
        lambda: ask(ScriptedModel(), spec=SamplingSpec(40, 0.8)),
        lambda: ask(ScriptedModel(), spec=SamplingSpec(40, 0.7, stop=())),
        lambda: ask(ScriptedModel(), adapter="one"),
        lambda: ask(ScriptedModel(), adapter="two"),
    ]
    for number, change in enumerate(changes, start=1):
        change()
        change()
        assert asked == number


def test_failed_completions_are_asked_for_again_and_finished_ones_kept(store: CompletionStore) -> None:
    class Stopping(ScriptedModel):
        def generate(
            self,
            prompts: Sequence[str],
            spec: SamplingSpec,
            seeds: Sequence[int],
            forbidden: Sequence[Sequence[str]] = (),
        ) -> list[Completion]:
            done = super().generate(prompts, spec, seeds, forbidden)
            failed = Completion("", finish="error", cause="endpoint: no answer in time")
            raise Unfinished(Problem("stopped"), {2: done[2], 0: done[0], 1: failed})

    with pytest.raises(EagleError, match="stopped"):
        CachedModel(Stopping(), store).generate(["a", "b", "c", "d"], SPEC, range(4))
    inner = ScriptedModel()
    done = CachedModel(inner, store).generate(["a", "b", "c", "d"], SPEC, range(4))
    assert inner.asked[0][0] == ("b", "d")
    assert done == ScriptedModel().generate(["a", "b", "c", "d"], SPEC, range(4))


def test_in_bfloat16_a_warm_cache_gives_what_an_empty_one_gives(
    tiny_llm: Path, store: CompletionStore, tmp_path: Path
) -> None:
    spec = SamplingSpec(12, 0.9, stop=())
    warm = CachedModel(TorchModel(tiny_llm, dtype="bfloat16", device="cpu"), store)
    prompts = [warm.chat([*HEAD, ("user", asked)], prefill="Genres:") for asked in ASKED]
    warm.generate(prompts[:3], spec, range(3))
    cold = CachedModel(TorchModel(tiny_llm, dtype="bfloat16", device="cpu"), CompletionStore(tmp_path / "cold.sqlite"))
    computed = warm.usage.new_tokens
    whole = warm.generate(prompts, spec, range(5))
    assert whole == cold.generate(prompts, spec, range(5))
    assert warm.usage.new_tokens - computed == sum(len(c.token_ids) for c in whole)
    assert warm.usage.remembered_tokens == 0
    assert warm.generate(prompts, spec, range(5)) == whole
    assert warm.usage.remembered_tokens == sum(len(c.token_ids) for c in whole)


# the file
# ----------------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory) -> CompletionStore:
    return CompletionStore(tmp_path_factory.mktemp("store") / "completions.sqlite")


@settings(max_examples=40)
@given(
    st.text(),
    st.lists(st.integers(0, 2**40)),
    st.lists(st.floats(allow_nan=False)),
    st.sampled_from(["stop", "length"]),
)
def test_a_completion_comes_back_as_it_was(
    one_store: CompletionStore, text: str, ids: list[int], log_probs: list[float], finish: Finish
) -> None:
    completion = Completion(text, tuple(ids), tuple(log_probs), finish)
    key = repr(completion).encode(errors="surrogatepass")
    one_store.write({key: completion})
    assert one_store.read([key, b"another"]) == {key: completion}


WRITER = """
import sys
from pathlib import Path
from eagle.engine.base import Completion
from eagle.engine.cache import CompletionStore
me = int(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    store = CompletionStore(Path(line.strip()))
    for n in range(5):
        for number in (n, 1000 * me + n):
            key = number.to_bytes(32, "big")
            store.write({key: Completion(f"text {number}")})
            assert store.read([key])[key].text == f"text {number}"
    print("done", flush=True)
"""


def test_processes_write_side_by_side(tmp_path: Path) -> None:
    """Each time on a file that none of them has made yet: where two turn it into WAL at once, SQLite itself does not
    wait.
    """
    numbers = [number for me in (0, 1, 2) for number in range(1000 * me, 1000 * me + 5)]
    with ExitStack() as stack:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        writers = [
            stack.enter_context(subprocess.Popen([sys.executable, "-c", WRITER, str(me)], **pipes)) for me in (1, 2)
        ]
        for writer in writers:
            assert writer.stdout.readline() == "ready\n"
        for path in (tmp_path / f"{n}/completions.sqlite" for n in range(30)):
            for writer in writers:
                writer.stdin.write(f"{path}\n")
                writer.stdin.flush()
            for writer in writers:
                assert writer.stdout.readline() == "done\n"
            found = CompletionStore(path).read([number.to_bytes(32, "big") for number in numbers])
            assert sorted(c.text for c in found.values()) == sorted(f"text {number}" for number in numbers)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _overwrite(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)


def _flip_one_letter(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"a tale of 7 ", b"a tale of 8 "))


def _another_type(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE completions SET value = CAST(value AS TEXT)")
        db.commit()


def _another_layout(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE completions (name TEXT)")


@pytest.mark.parametrize("damage", [_truncate, _overwrite, _flip_one_letter, _another_type, _another_layout])
def test_a_damaged_file_is_moved_aside_and_begun_anew(
    store: CompletionStore, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    tales = {key: Completion(f"a tale of {n} " * 40) for n, key in enumerate(KEYS)}
    store.write(tales)
    for number in (1, 2):
        damage(store.path)
        with caplog.at_level(logging.WARNING):
            assert store.read(KEYS) == {}
        assert "is damaged" in caplog.messages[-1]
        assert f"moved to completions.damaged-{number}.sqlite" in caplog.messages[-1]
        assert (store.path.parent / f"completions.damaged-{number}.sqlite").exists()
        store.write(tales)
        assert store.read(KEYS) == tales
    assert len(caplog.messages) == 2


def test_no_space_is_one_clear_error(tmp_path: Path) -> None:
    class Full(CompletionStore):
        def connect(self) -> sqlite3.Connection:
            db = super().connect()
            db.execute("PRAGMA max_page_count=4")  # SQLite's own limit: it fails as on a full disk
            return db

    store = Full(tmp_path / "completions.sqlite")
    store.write({KEYS[0]: Completion("short")})
    with pytest.raises(EagleError, match="no disk space left while writing") as caught:
        store.write({key: Completion("long " * 1000) for key in KEYS})
    assert "full" in caught.value.problems[0].found
    assert set(store.read(KEYS)) == {KEYS[0]}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_space_for_its_folder_is_the_same_error(tmp_path: Path, number: int) -> None:
    class Full(CompletionStore):
        def connect(self) -> sqlite3.Connection:
            raise OSError(number, os.strerror(number))

    with pytest.raises(EagleError, match="no disk space left while writing"):
        Full(tmp_path / "completions.sqlite").read(KEYS)


def test_a_file_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "completions.sqlite").mkdir()
    with pytest.raises(EagleError, match="cannot be used") as caught:
        CompletionStore(tmp_path / "completions.sqlite").write({KEYS[0]: Completion("text")})
    assert "llm.cache" in caught.value.problems[0].mend
