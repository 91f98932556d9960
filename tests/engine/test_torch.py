"""The torch engine keeps the contract, and its fast paths equal the slow one."""

from __future__ import annotations

import io
import json
import shutil
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tqdm import tqdm
from transformers import AutoModelForCausalLM

from eagle.core.errors import EagleError
from eagle.core.progress import Pieces
from eagle.engine.base import Completion, SamplingSpec
from eagle.engine.torch import decoding, shared_prefix
from eagle.engine.torch.model import TorchModel
from eagle.engine.torch.rows import DecodingRow, groups, row_batches, split, stems
from eagle.engine.torch.sampling import choose, uniforms
from eagle.testing.engines import ASKED, HEAD, LanguageModelContract


@pytest.fixture(scope="module")
def engine(tiny_llm: Path) -> TorchModel:
    return TorchModel(tiny_llm, dtype="float32", device="cpu", batch_rows=3)


@pytest.fixture(scope="module")
def plain(tiny_llm: Path) -> TorchModel:
    return TorchModel(tiny_llm, dtype="float32", device="cpu", batch_rows=2, fuse=False)


class TestContract(LanguageModelContract):
    @pytest.fixture
    def model(self, engine: TorchModel) -> TorchModel:
        return engine


class TestContractWithoutFusedWeights(LanguageModelContract):
    @pytest.fixture
    def model(self, plain: TorchModel) -> TorchModel:
        return plain


def test_every_row_is_told_as_it_ends(tiny_llm: Path) -> None:
    model = TorchModel(tiny_llm, dtype="float32", device="cpu", batch_rows=3, single=True)
    prompts = [model.chat([("user", text)]) for text in ASKED]
    for asked in (prompts, prompts[:1]):
        shown = tqdm(total=100, file=io.StringIO())
        with Pieces(shown, [100]).listening():
            model.generate(asked, SamplingSpec(4, 0.9), range(len(asked)))
        assert shown.n == len(asked)


@pytest.fixture
def _two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tests' one thread would do all rows together, and so would two where rows are few."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    monkeypatch.setattr(decoding, "ROWS_OF_A_PART", 1)
    yield
    assert torch.get_num_threads() == 2, "the threads were not given back"
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_two_threads")
class TestContractSideBySideWithoutFusedWeights(LanguageModelContract):
    @pytest.fixture
    def model(self, plain: TorchModel) -> TorchModel:
        return plain


@pytest.mark.usefixtures("_two_threads")
class TestContractSideBySide(LanguageModelContract):
    @pytest.fixture
    def model(self, engine: TorchModel) -> TorchModel:
        return engine

    def test_a_failure_stops_the_others_and_is_told(self, engine: TorchModel, monkeypatch: pytest.MonkeyPatch) -> None:
        def draw(rows: Sequence[DecodingRow], *_: object) -> None:
            if any(row.index == 0 for row in rows):
                raise RuntimeError("the first row")
            for row in rows:
                row.tokens.append(1)

        monkeypatch.setattr(engine.loop, "draw", draw)  # the other rows never end by themselves
        with pytest.raises(RuntimeError, match="the first row"):
            engine.generate(_prompts(engine), SamplingSpec(10**4, 1.0, stop=()), range(len(ASKED)))


def test_parts_are_the_same_with_any_number_of_threads(engine: TorchModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """In bfloat16 a text may depend on the rows of its part: another number of cores must not deal them out in another
    way.
    """
    parts: list[list[int]] = []

    def decode(_: object, __: int, rows: Sequence[DecodingRow], *___: object) -> None:
        parts.append([row.index for row in rows])
        for row in rows:
            row.finish = "stop"

    monkeypatch.setattr(engine.loop, "decode", decode)
    prompts, found = _prompts(engine) * 20, []
    for threads in (1, 2, 3):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        monkeypatch.setattr(torch, "set_num_threads", lambda _: None)
        engine.generate(prompts, SamplingSpec(1, 0.0), range(len(prompts)))
        found.append(sorted(parts))
        parts.clear()
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 2


def _prompts(model: TorchModel) -> list[str]:
    return [model.chat([*HEAD, ("user", asked)], prefill="Genres:") for asked in ASKED]


def test_log_probs_are_those_of_transformers(engine: TorchModel, tiny_llm: Path) -> None:
    reference = AutoModelForCausalLM.from_pretrained(tiny_llm, dtype=torch.float32)
    prompts = _prompts(engine)
    for prompt, done in zip(
        prompts, engine.generate(prompts, SamplingSpec(15, 1.0, 0.9, stop=()), range(5)), strict=True
    ):
        ids = [*engine.tokenize([prompt])[0], *done.token_ids]
        table = reference(torch.tensor([ids])).logits[0].log_softmax(-1)[-len(done.token_ids) - 1 : -1]
        expected = table.gather(1, torch.tensor(done.token_ids)[:, None])[:, 0].detach()
        np.testing.assert_allclose(done.log_probs, expected.numpy(), atol=1e-5)


def test_fused_equals_transformers(engine: TorchModel, plain: TorchModel) -> None:
    spec = SamplingSpec(20, 0.8, 0.95, stop=())
    ours, theirs = (m.generate(_prompts(m), spec, range(5)) for m in (engine, plain))
    assert [c.token_ids for c in ours] == [c.token_ids for c in theirs]


STOPPED = SamplingSpec(12, 1.2, 0.9, stop=(" ", "e"))  # ends rows early, some of them at once


@pytest.fixture(scope="module")
def alone(engine: TorchModel) -> list[tuple[str, Completion]]:
    """Prompts that share much, something or nothing, and their completions one by one; the seed is the place."""
    prompts = [*_prompts(engine), *(engine.chat([("user", asked)]) for asked in ASKED), "War", _prompts(engine)[1]]
    return [(prompt, engine.generate([prompt], STOPPED, [row])[0]) for row, prompt in enumerate(prompts)]


@given(
    st.lists(st.integers(0, 11), min_size=1, max_size=12),
    st.integers(1, 5),
    st.sampled_from([1, shared_prefix.HELD_SCORES]),
)
@settings(max_examples=25)
def test_a_row_is_the_same_whatever_stands_beside_it(
    engine: TorchModel, alone: list[tuple[str, Completion]], rows: list[int], at_once: int, table: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "batch_rows", at_once)
        patch.setattr(
            shared_prefix, "HELD_SCORES", table
        )  # 1: attention goes row by row, also over rows without a beginning
        beside = engine.generate([alone[row][0] for row in rows], STOPPED, rows)
    for row, done in zip(rows, beside, strict=True):
        expected = alone[row][1]
        assert (done.token_ids, done.text, done.finish) == (expected.token_ids, expected.text, expected.finish)
        np.testing.assert_allclose(done.log_probs, expected.log_probs, atol=1e-5)


def test_rows_that_come_and_go_equal_a_loop_of_whole_passes(
    engine: TorchModel, alone: list[tuple[str, Completion]], tiny_llm: Path
) -> None:
    reference = AutoModelForCausalLM.from_pretrained(tiny_llm, dtype=torch.float32)
    prompts = [prompt for prompt, _ in alone]
    together = engine.generate(prompts, STOPPED, range(len(prompts)))
    assert len({len(c.token_ids) for c in together}) > 3
    for ids, draws, done in zip(
        engine.tokenize(prompts), uniforms(range(len(prompts)), STOPPED.max_new_tokens), together, strict=True
    ):
        for token, draw in zip(done.token_ids, draws, strict=False):
            with torch.inference_mode():
                logits = reference(torch.tensor([ids])).logits[:, -1]
            assert choose(logits, torch.tensor([draw]), STOPPED.temperature, STOPPED.top_p)[0].item() == token
            ids.append(token)


def test_scores_do_not_depend_on_what_is_scored_beside(engine: TorchModel) -> None:
    heads = [prompt for prompt in _prompts(engine) for _ in range(3)]
    tails = [" crime, war. Plot: A family moves", " robot", ""] * 5
    together = engine.score(heads, tails)
    for head, tail, scored in zip(heads, tails, together, strict=True):
        np.testing.assert_allclose(engine.score([head], [tail])[0], scored, atol=1e-5)


def test_the_last_adapters_are_kept_and_the_plain_model_comes_back(tiny_llm: Path, adapter: Path) -> None:
    model = TorchModel(tiny_llm, dtype="float32", device="cpu")
    plain = model.loop
    model.load_adapter(adapter)
    merged = model.loop
    model.load_adapter(None)
    assert model.loop is plain
    model.load_adapter(adapter)
    assert model.loop is merged is not plain


def test_merged_adapter_equals_peft(engine: TorchModel, tiny_llm: Path, adapter: Path) -> None:
    from peft import PeftModel

    prompt, tail = _prompts(engine)[0], " crime, war. Plot: A family moves"
    plain = engine.score([prompt], [tail])[0]
    engine.load_adapter(adapter)
    adapted = engine.score([prompt], [tail])[0]
    engine.load_adapter(None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        reference: Any = PeftModel.from_pretrained(
            AutoModelForCausalLM.from_pretrained(tiny_llm, dtype=torch.float32), str(adapter)
        )
    head, rest = engine.tokenize([prompt, tail])
    table = reference(torch.tensor([head + rest])).logits[0].log_softmax(-1)[len(head) - 1 : -1]
    np.testing.assert_allclose(adapted, table.gather(1, torch.tensor(rest)[:, None])[:, 0].detach().numpy(), atol=1e-4)
    assert np.abs(adapted - plain).max() > 1e-2
    np.testing.assert_array_equal(engine.score([prompt], [tail])[0], plain)


def test_end_of_turn_token_ends_a_row(tiny_llm: Path) -> None:
    model = TorchModel(tiny_llm, dtype="float32", device="cpu")
    first = model.generate(_prompts(model)[:1], SamplingSpec(4, 0.0, stop=()), [0])[0]
    model.ends.tokens = frozenset({first.token_ids[2]})
    ended = model.generate(_prompts(model)[:1], SamplingSpec(4, 0.0, stop=()), [0])[0]
    assert ended.finish == "stop"
    assert first.token_ids[: len(ended.token_ids)] == ended.token_ids
    assert ended.text == model.ends.decode(ended.token_ids[:-1])


def test_shared_tokens_are_computed_once(tiny_llm: Path) -> None:
    model = TorchModel(tiny_llm, dtype="float32", device="cpu", batch_rows=8)
    prompts = _prompts(model) * 2
    model.generate(prompts, SamplingSpec(1, 0.0), range(len(prompts)))
    assert model.usage.computed_tokens < model.usage.prompt_tokens / 2


def test_what_is_remembered_changes_no_result(tiny_llm: Path) -> None:
    def opened() -> TorchModel:
        return TorchModel(tiny_llm, dtype="bfloat16", device="cpu")

    warm, spec = opened(), SamplingSpec(8, 0.9, stop=())
    for asked in ASKED:
        prompt = warm.chat([*HEAD * 3, ("user", asked)])
        before = warm.usage.computed_tokens
        known = warm.generate([prompt], spec, [7])
        read = warm.usage.computed_tokens - before
        assert known == opened().generate([prompt], spec, [7])
    assert read < len(warm.tokenize([prompt])[0]) / 2


def test_a_folder_that_lacks_things_is_one_clear_error(tmp_path: Path, adapter: Path, engine: TorchModel) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(EagleError) as caught:
        TorchModel(tmp_path)
    assert [p.what.rsplit("/")[-1].split(" has no ")[1] for p in caught.value.problems] == [
        "config.json",
        "weights",
        "tokenizer.json",
    ]
    with pytest.raises(EagleError, match="no LoRA adapter"):
        engine.load_adapter(tmp_path)


def _copied(folder: Path, target: Path, **settings: Any) -> Path:
    shutil.copytree(folder, target)
    file = target / ("adapter_config.json" if (target / "adapter_config.json").exists() else "config.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))
    return target


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def test_a_folder_that_holds_no_such_model_is_one_clear_error(tiny_llm: Path, tmp_path: Path) -> None:
    for change in ({"hidden_size": 48}, {"model_type": "nonsense"}, {"model_type": "vit"}):
        with pytest.raises(EagleError, match="cannot be opened as a language model"):
            TorchModel(_copied(tiny_llm, tmp_path / str(change), **change), dtype="float32", device="cpu")
    _cut(_copied(tiny_llm, tmp_path / "cut") / "model.safetensors")
    with pytest.raises(EagleError, match="is not a whole safetensors file"):
        TorchModel(tmp_path / "cut", dtype="float32", device="cpu")


def test_an_adapter_that_does_not_belong_here_is_one_clear_error(
    engine: TorchModel, adapter: Path, tmp_path: Path
) -> None:
    engine.load_adapter(_copied(adapter, tmp_path / "own", base_model_name_or_path=f"eagle:{engine.fingerprint}"))
    other = engine.fingerprint[::-1]
    with pytest.raises(EagleError, match="belongs to another language model") as caught:
        engine.load_adapter(_copied(adapter, tmp_path / "another's", base_model_name_or_path=f"eagle:{other}"))
    assert (caught.value.problems[0].found, caught.value.problems[0].expected) == (
        f"base {other}",
        f"base {engine.fingerprint}",
    )
    with pytest.raises(EagleError, match="does not fit the language model"):
        engine.load_adapter(_copied(adapter, tmp_path / "sizes", r=3))
    _cut(_copied(adapter, tmp_path / "cut") / "adapter_model.safetensors")
    with pytest.raises(EagleError, match="is not a whole safetensors file"):
        engine.load_adapter(tmp_path / "cut")
    engine.load_adapter(None)


def test_empty_prompt_is_refused(engine: TorchModel) -> None:
    with pytest.raises(ValueError, match="empty"):
        engine.generate([""], SamplingSpec(3, 0.0), [0])


TOKENS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=40), min_size=1, max_size=12)


def test_only_many_rows_that_begin_alike_go_by_themselves() -> None:
    begin = {kind: [kind] * 20 for kind in range(3)}
    rows = [[*begin[kind], 7, place] for kind, count in ((0, 5), (1, 40), (2, 4)) for place in range(count)]
    assert list(groups(rows)) == [(21, list(range(5, 45))), (0, [*range(5), *range(45, 49)])]
    assert list(groups(rows[:5])) == [(21, list(range(5)))]


@given(TOKENS)
@settings(max_examples=60)
def test_stems_are_common_beginnings_and_leave_a_token(rows: list[list[int]]) -> None:
    rows = sorted(rows)
    lengths, owner = stems(rows)
    assert owner == sorted(owner)
    for group, length in enumerate(lengths):
        members = [row for row, g in zip(rows, owner, strict=True) if g == group]
        assert len({tuple(row[:length]) for row in members}) == 1
        assert all(len(row) > length for row in members)


@given(TOKENS, st.integers(1, 5))
@settings(max_examples=60)
def test_parts_hold_every_row_once_and_none_of_them_much_more_than_its_share(
    suffixes: list[list[int]], parts: int
) -> None:
    rows = [DecodingRow(i, suffix, np.zeros(1)) for i, suffix in enumerate(suffixes)]
    dealt = split(rows, parts)
    assert sorted(row.index for part in dealt for row in part) == list(range(len(rows)))
    assert len(dealt) <= parts
    assert max(map(len, dealt)) < 2 * -(-len(rows) // parts)
    again = split(rows[::-1], parts)
    assert [[row.index for row in part] for part in dealt] == [[row.index for row in part] for part in again]


@given(TOKENS, st.integers(1, 5))
@settings(max_examples=40)
def test_batches_hold_every_row_once_whatever_the_order(suffixes: list[list[int]], at_most: int) -> None:
    rows = [DecodingRow(i, suffix, np.zeros(1)) for i, suffix in enumerate(suffixes)]
    batches = list(row_batches(rows, at_most))
    assert sorted(row.index for batch in batches for row in batch) == list(range(len(rows)))
    assert max(map(len, batches)) <= at_most
    again = list(row_batches(rows[::-1], at_most))
    assert [[row.index for row in batch] for batch in batches] == [[row.index for row in batch] for batch in again]


class TestSampling:
    def test_frequencies_are_the_probabilities(self) -> None:
        probabilities = torch.tensor([0.5, 0.3, 0.15, 0.05])
        draws = torch.tensor((np.arange(2000) + 0.5) / 2000)
        tokens, log_probs = choose(probabilities.log().expand(2000, 4), draws, 1.0, 1.0)
        np.testing.assert_allclose(np.bincount(tokens, minlength=4) / 2000, probabilities, atol=1e-3)
        np.testing.assert_allclose(log_probs.exp(), probabilities[tokens], rtol=1e-5)

    def test_nucleus_keeps_the_smallest_head_that_reaches_top_p(self) -> None:
        logits = torch.tensor([0.05, 0.5, 0.15, 0.3]).log().expand(1000, 4)
        tokens, _ = choose(logits, torch.tensor((np.arange(1000) + 0.5) / 1000), 1.0, 0.6)
        np.testing.assert_allclose(np.bincount(tokens, minlength=4) / 1000, [0, 0.625, 0, 0.375], atol=1e-3)

    @given(st.integers(0, 10**6), st.floats(0.05, 0.999), st.floats(0.3, 2.0))
    @settings(max_examples=40)
    def test_short_sort_equals_full_sort(self, seed: int, top_p: float, temperature: float) -> None:
        rng = np.random.default_rng(seed)
        logits = torch.tensor(rng.normal(scale=3.0, size=(4, 5000)), dtype=torch.float32)
        draws = torch.tensor(rng.random(4))
        tokens, _ = choose(logits, draws, temperature, top_p)
        values, order = torch.softmax(logits / temperature, -1).sort(descending=True, stable=True)
        for row in range(4):
            mass = values[row].double().cumsum(0)
            kept = mass[: int((mass - values[row] < top_p).sum())]
            place = int(torch.searchsorted(kept, draws[row] * kept[-1], right=True))
            assert abs(float(mass[place] - mass[(order[row] == tokens[row]).nonzero()[0, 0]])) < 1e-5

    @given(st.integers(0, 10**6), st.integers(1, 700))
    @settings(max_examples=40)
    def test_draw_by_blocks_equals_draw_from_whole_rows(self, seed: int, width: int) -> None:
        rng = np.random.default_rng(seed)
        logits = torch.tensor(rng.normal(scale=4.0, size=(3, width)), dtype=torch.float32)
        draws = torch.tensor(rng.random(3))
        tokens, _ = choose(logits, draws, 1.0, 1.0)
        mass = torch.softmax(logits, -1).double().cumsum(-1)
        before = torch.nn.functional.pad(mass, (1, 0))[:, :-1].gather(1, tokens[:, None])[:, 0]
        target = draws * mass[:, -1]
        assert (before <= target + 1e-7).all() and (target <= mass.gather(1, tokens[:, None])[:, 0] + 1e-7).all()

    def test_a_wide_nucleus_is_sorted_whole(self) -> None:
        tokens, _ = choose(torch.zeros(20, 200_000), torch.tensor((np.arange(20) + 0.5) / 20), 1.0, 0.5)
        np.testing.assert_array_equal(tokens, (np.arange(20) + 0.5) * 5000)

    def test_draws_depend_on_the_row_seed_only(self) -> None:
        np.testing.assert_array_equal(uniforms([3, 4], 5)[1], uniforms([4], 5)[0])
        np.testing.assert_array_equal(uniforms([3], 9)[0, :5], uniforms([3], 5)[0])
