"""What a policy remembers, writes and counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from eagle.config import LoraSettings
from eagle.core.artifacts import read_json
from eagle.core.costs import account
from eagle.policies.lora import LoraPolicy
from tests.tiny import build_tiny_llm

ACTIONS = ("Make the hero a robot.", "Add a love story.", "Set it in space.")
PROMPT = "User likes drama.\nGenres: war.\nAction:"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_llm(tmp_path_factory.mktemp("llm") / "model")


def scores(policy: LoraPolicy) -> np.ndarray:
    with torch.no_grad():
        return policy.score_lists([PROMPT], [ACTIONS])[0][0].numpy()


def test_a_policy_remembers_few_prompts_and_lists_and_scores_forgotten_ones_alike(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eagle.policies.lora.PROMPTS", 3)
    monkeypatch.setattr("eagle.policies.lora.TRIES", 2)
    policy = LoraPolicy.create(base, LoraSettings(rank=2), 0)
    before, first = scores(policy), (policy.tokens(PROMPT), policy.trie(ACTIONS, full=False))
    prompts = [f"User likes number {number}.\nAction:" for number in range(8)]
    lists = [(*ACTIONS, f"Add number {number}.") for number in range(8)]
    with torch.no_grad():
        together = policy.log_policies(prompts, lists)
        alone = [policy.log_policies([prompt], [listed])[0] for prompt, listed in zip(prompts, lists, strict=True)]
    assert policy.tokens(prompts[-1]) is policy.tokens(prompts[-1])
    assert policy.trie(lists[-1], full=False) is policy.trie(lists[-1], full=False)
    assert policy.tokens(PROMPT) is not first[0], "the oldest was forgotten"
    assert policy.trie(ACTIONS, full=False) is not first[1], "the oldest was forgotten"
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one, other)
    np.testing.assert_array_equal(scores(policy), before)


def test_writing_is_repeatable_and_does_not_move_the_global_generator(base: Path) -> None:
    policy = LoraPolicy.create(base, LoraSettings(rank=2), 0)
    state = torch.get_rng_state()
    first = policy.write([PROMPT, "Action:"], 1.0, 3, max_new_tokens=6)
    assert torch.equal(torch.get_rng_state(), state)
    assert policy.write([PROMPT, "Action:"], 1.0, 3, max_new_tokens=6) == first
    assert all(1 <= len(w.tokens) <= 6 for w in first)


def test_every_token_read_and_written_is_counted(base: Path, tmp_path: Path) -> None:
    with account("train", tmp_path / "costs.json"):
        policy = LoraPolicy.create(base, LoraSettings(rank=2), 0)
        prompt = len(policy.tokens(PROMPT))
        policy.score_lists([PROMPT, PROMPT], [ACTIONS, ACTIONS[:1]], full=True)
        written = policy.write([PROMPT], 1.0, 3, max_new_tokens=6)
    # The last token of an action is predicted, not read; the first action and the others begin alike nowhere.
    actions = [len(policy.action_tokens(action)) - 1 for action in (*ACTIONS, ACTIONS[0])]
    costs = read_json(tmp_path / "costs.json")
    assert costs["prompt_tokens"] == 3 * prompt + sum(actions)
    assert costs["new_tokens"] == len(written[0].tokens)
    assert costs["calls"] == 2
