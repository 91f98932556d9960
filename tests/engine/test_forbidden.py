"""What a row must not come out as: the draw is exactly the model's own, given that none of it is written."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.engine.base import SamplingSpec
from eagle.engine.cache import CachedModel, CompletionStore
from eagle.engine.torch.forbidden import ForbiddenTexts, bend
from eagle.engine.torch.model import TorchModel
from eagle.testing.engines import ASKED, HEAD

TOKENS, LENGTH = 3, 3
SEQUENCES = list(itertools.product(range(TOKENS), repeat=LENGTH))


def next_logits(seed: int, tokens: tuple[int, ...]) -> np.ndarray:
    """Logits (TOKENS,) after some tokens, in a language of sequences of three tokens."""
    return np.random.default_rng([seed, len(tokens), *tokens]).normal(size=TOKENS) * 2


def step(seed: int, tokens: tuple[int, ...], temperature: float) -> np.ndarray:
    chances = np.exp(next_logits(seed, tokens) / temperature)
    return chances / chances.sum()


@given(
    seed=st.integers(0, 10**6),
    forbidden=st.sets(st.sampled_from(SEQUENCES), min_size=1, max_size=6),
    temperature=st.sampled_from([0.5, 1.0, 2.0]),
)
@settings(max_examples=60)
def test_the_draw_is_the_conditional_one(seed: int, forbidden: set[tuple[int, ...]], temperature: float) -> None:
    own = {s: np.prod([step(seed, s[:i], temperature)[s[i]] for i in range(LENGTH)]) for s in SEQUENCES}
    expected = {s: 0.0 if s in forbidden else p / (1 - sum(own[b] for b in forbidden)) for s, p in own.items()}
    held = ForbiddenTexts(
        sorted(forbidden),
        [np.log([step(seed, s[:i], temperature)[s[i]] for i in range(LENGTH)]) for s in sorted(forbidden)],
    )

    def bent(tokens: tuple[int, ...]) -> np.ndarray:
        logits = torch.from_numpy(next_logits(seed, tokens))[None]
        left = held.left(tokens)
        moved = bend(logits, {0: left}, temperature) if left else logits
        return (moved / temperature).double().softmax(-1)[0].numpy()  # type: ignore[no-any-return]

    found = {s: np.prod([bent(s[:i])[s[i]] for i in range(LENGTH)]) for s in SEQUENCES}
    assert found == pytest.approx(expected, abs=1e-5)


def test_a_row_off_the_way_to_what_is_barred_is_left_alone() -> None:
    held = ForbiddenTexts([[1, 2, 9]], [np.log([0.5, 0.5, 1.0])])
    assert held.left([]) == {1: pytest.approx(0.5)}
    assert held.left([1]) == {2: pytest.approx(0.0, abs=1e-9)}
    assert held.left([2]) == {}
    assert held.left([1, 2, 9]) == {}


@pytest.fixture(scope="module")
def engine(tiny_llm: Path) -> TorchModel:
    return TorchModel(tiny_llm, dtype="float32", device="cpu", batch_rows=16)


@pytest.fixture(scope="module")
def spec(engine: TorchModel) -> SamplingSpec:
    """A way to draw that ends texts early, so that one text comes often."""
    prompt = engine.chat([*HEAD, ("user", ASKED[0])], prefill="Genres:")
    greedy = engine.generate([prompt], SamplingSpec(8, 0.0, stop=()), [0])[0].text
    return SamplingSpec(
        8, 0.06, stop=(next(letter for letter in greedy[2:] if letter.isascii() and letter not in greedy[:2]),)
    )


def test_what_is_barred_is_not_written_and_log_probabilities_stay_the_models(
    engine: TorchModel, spec: SamplingSpec
) -> None:
    prompt = engine.chat([*HEAD, ("user", ASKED[0])], prefill="Genres:")
    free = Counter(c.text for c in engine.generate([prompt] * 60, spec, range(60)) if c.finish == "stop")
    often = [text for text, _ in free.most_common(2)]
    done = engine.generate([prompt] * 60, spec, range(60), [often] * 60)
    tokens = {text: tuple(itertools.chain(*engine.tokenize([text, spec.stop[0]]))) for text in often}
    again = [c for c in done if c.token_ids in tokens.values()]
    assert free[often[0]] > 5
    assert again == []
    mine = [c for c in done if list(c.token_ids) == engine.tokenize([c.text])[0]]
    for completion, scored in zip(mine[:5], engine.score([prompt] * 5, [c.text for c in mine[:5]]), strict=True):
        np.testing.assert_allclose(completion.log_probs, scored, atol=1e-3)


def test_with_something_barred_a_batch_equals_its_rows_one_by_one(engine: TorchModel, spec: SamplingSpec) -> None:
    prompts = [engine.chat([*HEAD, ("user", asked)], prefill="Genres:") for asked in ASKED]
    forbidden = [[c.text] for c in engine.generate(prompts, spec, range(5))]
    forbidden[2] = []
    together = engine.generate(prompts, spec, range(5), forbidden)
    alone = [engine.generate([p], spec, [s], [b])[0] for s, (p, b) in enumerate(zip(prompts, forbidden, strict=True))]
    assert [c.token_ids for c in together] == [c.token_ids for c in alone]
    assert together[2].token_ids == engine.generate([prompts[2]], spec, [2])[0].token_ids


def test_a_cache_tells_rows_apart_by_what_is_barred(engine: TorchModel, spec: SamplingSpec, tmp_path: Path) -> None:
    prompt = engine.chat([*HEAD, ("user", ASKED[0])], prefill="Genres:")
    kept = CachedModel(engine, CompletionStore(tmp_path / "completions.sqlite"))
    free = kept.generate([prompt] * 8, spec, range(8))
    forbidden = [[c.text] for c in free]
    assert kept.generate([prompt] * 8, spec, range(8), forbidden) == engine.generate(
        [prompt] * 8, spec, range(8), forbidden
    )
    before = engine.usage.new_tokens
    assert kept.generate([prompt] * 8, spec, range(8)) == free
    assert engine.usage.new_tokens == before
