"""Saving, loading and freezing of the policy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from eagle.config import LoraSettings
from eagle.core.artifacts import read_json
from eagle.core.costs import account
from eagle.core.errors import EagleError
from eagle.policies.adapters import ADAPTER_NOTE, same_shape
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


def moved(policy: LoraPolicy) -> LoraPolicy:
    with torch.no_grad():
        for parameter in policy.parameters().values():
            parameter.add_(0.1)
    return policy


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


def test_saved_policy_scores_the_same_and_its_twin_starts_equal(base: Path, tmp_path: Path) -> None:
    policy = moved(LoraPolicy.create(base, LoraSettings(rank=2), 0))
    policy.save(tmp_path / "adapter", name="uniform")
    opened = LoraPolicy.load(base, tmp_path / "adapter", trainable=True)
    np.testing.assert_allclose(scores(opened), scores(policy), atol=1e-6)
    with opened.as_reference():
        np.testing.assert_array_equal(scores(opened), scores(opened))
        reference = scores(opened)
    np.testing.assert_array_equal(reference, scores(opened))
    moved(opened)
    assert not np.allclose(scores(opened), reference, atol=1e-4)
    with opened.as_reference():
        np.testing.assert_array_equal(scores(opened), reference)
    assert sorted(p.name for p in (tmp_path / "adapter").iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", ADAPTER_NOTE
    ]  # fmt: skip
    assert str(base) not in (tmp_path / "adapter/adapter_config.json").read_text()


def test_a_policy_that_takes_another_adapter_scores_as_it_does(base: Path, tmp_path: Path) -> None:
    folders, policies = [tmp_path / name for name in ("one", "other")], []
    for seed, folder in enumerate(folders):
        policies.append(moved(LoraPolicy.create(base, LoraSettings(rank=2), seed)))
        policies[-1].save(folder)
    assert same_shape(*folders)
    assert not np.allclose(scores(policies[0]), scores(policies[1]), atol=1e-3)
    opened = LoraPolicy.load(base, folders[0])
    for number in (1, 0):
        opened.take(folders[number])
        np.testing.assert_allclose(scores(opened), scores(policies[number]), atol=1e-6)


def test_adapters_of_other_ranks_have_another_shape(base: Path, tmp_path: Path) -> None:
    for rank in (2, 4):
        LoraPolicy.create(base, LoraSettings(rank=rank), 0).save(tmp_path / str(rank))
    assert not same_shape(tmp_path / "2", tmp_path / "4")


def test_only_the_adapter_is_trained_before_and_after_a_look_at_the_reference(base: Path, tmp_path: Path) -> None:
    LoraPolicy.create(base, LoraSettings(rank=2), 0).save(tmp_path / "adapter")
    policy = LoraPolicy.load(base, tmp_path / "adapter", trainable=True)
    before = list(policy.parameters())
    with policy.as_reference():
        pass
    assert list(policy.parameters()) == before
    assert before
    assert all("lora_" in name and ".default." in name for name in before)


def test_adapter_of_another_base_is_refused(base: Path, tmp_path: Path) -> None:
    LoraPolicy.create(base, LoraSettings(rank=2), 0).save(tmp_path / "adapter")
    other = build_tiny_llm(tmp_path / "other", seed=1)
    with pytest.raises(EagleError, match="another language model"):
        LoraPolicy.load(other, tmp_path / "adapter")


def test_folder_without_an_adapter_or_a_model_is_a_user_error(base: Path, tmp_path: Path) -> None:
    with pytest.raises(EagleError, match="not an adapter"):
        LoraPolicy.load(base, tmp_path)
    with pytest.raises(EagleError, match="holds no language model"):
        LoraPolicy.create(tmp_path, LoraSettings(), 0)


def test_note_holds_the_base(base: Path, tmp_path: Path) -> None:
    policy = LoraPolicy.create(base, LoraSettings(rank=2), 0)
    policy.save(tmp_path / "adapter", kind="reference")
    assert json.loads((tmp_path / "adapter" / ADAPTER_NOTE).read_text()) == {
        "base": policy.base_hash,
        "kind": "reference",
    }


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
