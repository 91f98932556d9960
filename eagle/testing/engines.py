"""What every language-model engine has to do."""

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
    """Override the fixture ``model``: an engine, opened. ``tells_token_ids``: False where an endpoint keeps them."""

    tells_token_ids = True

    @pytest.fixture
    def model(self) -> LanguageModel:
        raise NotImplementedError("override the fixture model: return your engine, opened")

    @pytest.fixture
    def prompts(self, model: LanguageModel) -> list[str]:
        return [model.chat([*HEAD, ("user", asked)], prefill="Genres:") for asked in ASKED]

    def test_it_says_what_decides_a_text(self, model: LanguageModel) -> None:
        for name in ("name", "fingerprint", "arithmetic"):
            value = getattr(model, name, None)
            assert isinstance(value, str) and value, f"{name} should be a text: the cache of completions is keyed by it"
        assert isinstance(model.batch_invariant, bool), "batch_invariant should be True or False"

    def test_same_seed_gives_same_text(self, model: LanguageModel, prompts: list[str]) -> None:
        spec = SamplingSpec(12, 0.9, 0.95, stop=())
        seeds = [11, 12, 13, 14, 15]
        same = model.generate(prompts, spec, seeds) == model.generate(prompts, spec, seeds)
        assert same, "the same prompts and seeds give other completions: draw from the row's seed only"

    def test_other_seed_gives_other_text(self, model: LanguageModel, prompts: list[str]) -> None:
        texts = {c.text for c in model.generate([prompts[0]] * 6, SamplingSpec(12, 1.0, stop=()), range(6))}
        assert len(texts) > 1, "six seeds give one text at temperature 1: the seed is not used"

    def test_batch_equals_one_by_one(self, model: LanguageModel, prompts: list[str]) -> None:
        spec = SamplingSpec(12, 0.9, 0.95, stop=())
        together = model.generate(prompts, spec, range(5))
        alone = [model.generate([prompt], spec, [seed])[0] for seed, prompt in enumerate(prompts)]
        what = "a row written beside others differs from the row alone"
        assert [c.text for c in together] == [c.text for c in alone], what
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_allclose(one.log_probs, other.log_probs, atol=1e-4, err_msg=what)

    def test_order_of_rows_does_not_matter(self, model: LanguageModel, prompts: list[str]) -> None:
        spec = SamplingSpec(12, 0.9, 0.95, stop=())
        forward = model.generate(prompts, spec, range(5))
        backward = model.generate(prompts[::-1], spec, range(5)[::-1])
        assert [c.text for c in forward] == [c.text for c in backward[::-1]], "completions depend on the rows' order"

    def test_greedy_ignores_the_seed(self, model: LanguageModel, prompts: list[str]) -> None:
        spec = SamplingSpec(8, 0.0, stop=())
        same = model.generate(prompts, spec, [1] * 5) == model.generate(prompts, spec, [2] * 5)
        assert same, "at temperature 0 the text should not depend on the seed"

    def test_text_ends_before_the_stop_string(self, model: LanguageModel, prompts: list[str]) -> None:
        whole = model.generate(prompts, SamplingSpec(12, 0.0, stop=()), range(5))
        stop = next(c.text[4] for c in whole if len(c.text) > 6 and c.text[4].isascii())
        stopped = model.generate(prompts, SamplingSpec(12, 0.0, stop=(stop,)), range(5))
        what = f"the text should end before the stop string {stop!r}, which is not part of it"
        assert [c.text for c in stopped] == [c.text.split(stop)[0] for c in whole], what
        assert any(c.finish == "stop" for c in stopped), "finish should be 'stop' where a stop string was met"

    def test_length_limit_is_kept_and_told(self, model: LanguageModel, prompts: list[str]) -> None:
        done = model.generate(prompts, SamplingSpec(3, 0.7, stop=()), range(5))
        assert all(len(c.token_ids) <= 3 for c in done), "max_new_tokens is 3, and some row has more tokens"
        assert any(c.finish == "length" for c in done), "finish should be 'length' where max_new_tokens ended the text"

    def test_usage_is_counted(self, model: LanguageModel, prompts: list[str]) -> None:
        before = model.usage.copy()
        done = model.generate(prompts, SamplingSpec(5, 0.7, stop=()), range(5))
        new = model.usage.new_tokens - before.new_tokens
        if self.tells_token_ids:
            drawn = sum(len(c.token_ids) for c in done)
            assert new == drawn, f"usage.new_tokens grew by {new}, but {drawn} tokens were drawn"
        assert 0 < new <= 5 * len(done), f"usage.new_tokens should grow by 1 to {5 * len(done)}, not by {new}"
        assert model.usage.prompt_tokens > before.prompt_tokens, "usage.prompt_tokens should grow"
        assert model.usage.calls > before.calls, "usage.calls should grow"

    def test_no_prompts_give_no_completions(self, model: LanguageModel) -> None:
        assert model.generate([], SamplingSpec(5, 0.7), []) == [], "no prompts should give []"
        assert model.score([], []) == [], "nothing to score should give []"

    def test_score_agrees_with_generation(self, model: LanguageModel, prompts: list[str]) -> None:
        done = model.generate(prompts, SamplingSpec(6, 0.0, stop=()), range(5))
        scored = model.score(prompts, [c.text for c in done])
        same = [
            (c, s) for c, s in zip(done, scored, strict=True) if len(c.log_probs) == len(s) and "\ufffd" not in c.text
        ]
        assert same, "score should have as many numbers for a row as its text has tokens"
        for completion, log_probs in same:
            what = "score differs from the log_probs that the text was written with (temperature 1, untruncated)"
            np.testing.assert_allclose(log_probs, completion.log_probs, atol=1e-3, err_msg=what)

    def test_chat_ends_with_the_prefill(self, model: LanguageModel) -> None:
        prompt = model.chat([("user", "Add a love story.")], prefill="Genres:")
        assert "Add a love story." in prompt, "chat should hold what the user says"
        assert prompt.endswith("Genres:"), "chat should end with the prefill, so that the model goes on from there"

    def test_adapter_can_be_taken_off(self, model: LanguageModel, prompts: list[str]) -> None:
        spec = SamplingSpec(6, 0.0, stop=())
        before = model.generate(prompts, spec, range(5))
        model.load_adapter(None)
        assert model.generate(prompts, spec, range(5)) == before, "load_adapter(None) should change the plain model not"
