"""What every language-model engine must do: each engine's test class inherits these tests and gives a
`model` fixture.
"""

from __future__ import annotations

import numpy as np
import pytest

from eagle.engine.base import LanguageModel, SamplingSpec

HEAD = [
    ("system", "You are a writer. Keep one line. It ends well."),
    ("user", "Set it in space."),
    ("assistant", "Genres: sci-fi."),
]
ASKED = (
    "Add a love story.",
    "Turn it into a horror film.",
    "Make the hero a robot.",
    "Add a love story, and save the city.",
    "War",
)


class LanguageModelContract:
    tells_token_ids = True

    @pytest.fixture
    def prompts(self, model: LanguageModel) -> list[str]:
        return [model.chat([*HEAD, ("user", asked)], prefill="Genres:") for asked in ASKED]

    def test_same_seed_gives_same_text(self, model: LanguageModel, prompts: list[str]) -> None:
        spec = SamplingSpec(12, 0.9, 0.95, stop=())
        seeds = [11, 12, 13, 14, 15]
        assert model.generate(prompts, spec, seeds) == model.generate(prompts, spec, seeds)

    def test_other_seed_gives_other_text(self, model: LanguageModel, prompts: list[str]) -> None:
        texts = {c.text for c in model.generate([prompts[0]] * 6, SamplingSpec(12, 1.0, stop=()), range(6))}
        assert len(texts) > 1

    def test_batch_equals_one_by_one(self, model: LanguageModel, prompts: list[str]) -> None:
        spec = SamplingSpec(12, 0.9, 0.95, stop=())
        together = model.generate(prompts, spec, range(5))
        alone = [model.generate([prompt], spec, [seed])[0] for seed, prompt in enumerate(prompts)]
        assert [c.text for c in together] == [c.text for c in alone]
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_allclose(one.log_probs, other.log_probs, atol=1e-4)

    def test_order_of_rows_does_not_matter(self, model: LanguageModel, prompts: list[str]) -> None:
        spec = SamplingSpec(12, 0.9, 0.95, stop=())
        forward = model.generate(prompts, spec, range(5))
        backward = model.generate(prompts[::-1], spec, range(5)[::-1])
        assert [c.text for c in forward] == [c.text for c in backward[::-1]]

    def test_greedy_ignores_the_seed(self, model: LanguageModel, prompts: list[str]) -> None:
        spec = SamplingSpec(8, 0.0, stop=())
        assert model.generate(prompts, spec, [1] * 5) == model.generate(prompts, spec, [2] * 5)

    def test_text_ends_before_the_stop_string(self, model: LanguageModel, prompts: list[str]) -> None:
        whole = model.generate(prompts, SamplingSpec(12, 0.0, stop=()), range(5))
        stop = next(c.text[4] for c in whole if len(c.text) > 6 and c.text[4].isascii())
        stopped = model.generate(prompts, SamplingSpec(12, 0.0, stop=(stop,)), range(5))
        assert [c.text for c in stopped] == [c.text.split(stop)[0] for c in whole]
        assert any(c.finish == "stop" for c in stopped)

    def test_length_limit_is_kept_and_told(self, model: LanguageModel, prompts: list[str]) -> None:
        done = model.generate(prompts, SamplingSpec(3, 0.7, stop=()), range(5))
        assert all(len(c.token_ids) <= 3 for c in done)
        assert any(c.finish == "length" for c in done)

    def test_usage_is_counted(self, model: LanguageModel, prompts: list[str]) -> None:
        before = model.usage.copy()
        done = model.generate(prompts, SamplingSpec(5, 0.7, stop=()), range(5))
        if self.tells_token_ids:
            assert model.usage.new_tokens - before.new_tokens == sum(len(c.token_ids) for c in done)
        assert 0 < model.usage.new_tokens - before.new_tokens <= 5 * len(done)
        assert model.usage.prompt_tokens > before.prompt_tokens
        assert model.usage.calls > before.calls

    def test_no_prompts_give_no_completions(self, model: LanguageModel) -> None:
        assert model.generate([], SamplingSpec(5, 0.7), []) == []
        assert model.score([], []) == []

    def test_score_agrees_with_generation(self, model: LanguageModel, prompts: list[str]) -> None:
        done = model.generate(prompts, SamplingSpec(6, 0.0, stop=()), range(5))
        scored = model.score(prompts, [c.text for c in done])
        same = [
            (c, s) for c, s in zip(done, scored, strict=True) if len(c.log_probs) == len(s) and "\ufffd" not in c.text
        ]
        assert same
        for completion, log_probs in same:
            np.testing.assert_allclose(log_probs, completion.log_probs, atol=1e-3)

    def test_chat_ends_with_the_prefill(self, model: LanguageModel) -> None:
        prompt = model.chat([("user", "Add a love story.")], prefill="Genres:")
        assert "Add a love story." in prompt
        assert prompt.endswith("Genres:")

    def test_adapter_can_be_taken_off(self, model: LanguageModel, prompts: list[str]) -> None:
        spec = SamplingSpec(6, 0.0, stop=())
        before = model.generate(prompts, spec, range(5))
        model.load_adapter(None)
        assert model.generate(prompts, spec, range(5)) == before
