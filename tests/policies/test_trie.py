"""The packed trie against scoring one action at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.config import LoraSettings
from eagle.core.errors import EagleError
from eagle.policies.lora import LoraPolicy
from eagle.policies.trie import build_trie, pack
from tests.tiny import build_tiny_llm

LISTS = (
    ("Make the hero a robot.", "Make the hero a ghost.", "Make it short.", "Add a love story."),
    ("Set it in space.", "Set it in space", "Add a love story."),
    ("Add a love story.",),
)
PROMPTS = (
    "User likes drama.\nGenres: war.\nAction:",
    "User likes comedy, war. Dislikes drama.\nGenres: war, drama.\nAction:",
    "Action:",
)


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> LoraPolicy:
    folder = build_tiny_llm(tmp_path_factory.mktemp("llm") / "model")
    made = LoraPolicy.create(Path(folder), LoraSettings(rank=4), 0)
    with torch.no_grad():
        for parameter in made.parameters().values():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return made


def one_by_one(policy: LoraPolicy, prompt: str, action: str) -> np.ndarray:
    """Plain log-probabilities of the action's tokens: ordinary causal pass, no mask, no positions."""
    start, continuation = policy.tokens(prompt), policy.action_tokens(action)
    with torch.no_grad():
        logits = policy.model(input_ids=torch.tensor([start + continuation])).logits[0].float().log_softmax(-1)
    return np.array([float(logits[len(start) - 1 + i, token]) for i, token in enumerate(continuation)])


def test_full_scores_equal_one_by_one(policy: LoraPolicy) -> None:
    with torch.no_grad():
        _, found = policy.score_lists(PROMPTS, LISTS, full=True)
    for prompt, actions, scores in zip(PROMPTS, LISTS, found, strict=True):
        expected = [one_by_one(policy, prompt, action).sum() for action in actions]
        np.testing.assert_allclose(scores.numpy(), expected, atol=2e-4)


def test_pruned_and_full_give_the_same_policy(policy: LoraPolicy) -> None:
    with torch.no_grad():
        pruned, upper = policy.score_lists(PROMPTS, LISTS)
        full, exact = policy.score_lists(PROMPTS, LISTS, full=True)
    for a, b, bound, mass in zip(pruned, full, upper, exact, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-4)
        assert float(a.exp().sum()) == pytest.approx(1, abs=1e-5)
        assert bool((bound >= mass - 1e-4).all())


def test_policy_is_normalised_where_the_list_branches(policy: LoraPolicy) -> None:
    """Walk the tree by hand for two actions that part at one token."""
    actions = ("Make the hero a robot.", "Make the hero a ghost.")
    first, second = (policy.action_tokens(a) for a in actions)
    fork = next(i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b)
    scores = [one_by_one(policy, PROMPTS[0], a)[fork] for a in actions]
    expected = np.array(scores) - np.logaddexp(*scores)
    with torch.no_grad():
        found, _ = policy.score_lists([PROMPTS[0]], [actions])
    np.testing.assert_allclose(found[0].numpy(), expected, atol=1e-4)


def test_a_row_does_not_depend_on_what_stands_beside_it(policy: LoraPolicy) -> None:
    with torch.no_grad():
        together, _ = policy.score_lists(PROMPTS, LISTS)
        for prompt, actions, row in zip(PROMPTS, LISTS, together, strict=True):
            alone, _ = policy.score_lists([prompt], [actions])
            np.testing.assert_allclose(alone[0].numpy(), row.numpy(), atol=1e-5)


def test_log_policies_are_those_of_score_lists(policy: LoraPolicy) -> None:
    with torch.no_grad():
        for alone, scored in zip(
            policy.log_policies(PROMPTS, LISTS), policy.score_lists(PROMPTS, LISTS)[0], strict=True
        ):
            np.testing.assert_allclose(alone.numpy(), scored.numpy(), atol=1e-5)


def test_the_size_of_a_pass_does_not_change_scores(policy: LoraPolicy, monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.no_grad():
        together = policy.score_lists(PROMPTS, LISTS)
        monkeypatch.setattr("eagle.policies.lora.TOKENS", 1)
        for whole, alone in zip(together, policy.score_lists(PROMPTS, LISTS), strict=True):
            for a, b in zip(whole, alone, strict=True):
                np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)


sequences = st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=5), min_size=1, max_size=8, unique_by=tuple)


@settings(max_examples=60)
@given(sequences, st.booleans())
def test_trie_structure(found: list[list[int]], full: bool) -> None:
    ended = [[*s, 0] for s in found]
    trie = build_trie(ended, full=full)
    assert trie.path.shape == (len(ended), len(trie.edge_token))
    for row, sequence in zip(trie.path, ended, strict=True):
        tokens = trie.edge_token[row].tolist()
        assert sorted(tokens) == sorted(sequence[: len(tokens)])  # a beginning of the action; all of it when full
        if full:
            assert len(tokens) == len(sequence)
    assert (trie.ancestors.sum(1) == trie.depth + 1).all()


prompts = st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=5), min_size=1, max_size=5)


@settings(max_examples=60)
@given(prompts)
def test_what_prompts_begin_with_alike_is_one_token(found: list[list[int]]) -> None:
    batch = pack(found, [build_trie([[1, 0], [2, 0]], full=True)] * len(found))
    beginnings = {tuple(p[: i + 1]) for p in found for i in range(len(p))}
    assert len(batch.first) == len(beginnings) + 2 * len(found)
    assert batch.read == sum(len(p) + 2 for p in found)
    for row, prompt in enumerate(found):
        tokens = batch.input_ids.flatten()[batch.first[batch.number[row]]]
        assert tokens[: len(prompt) + 2].tolist() == [*prompt, 1, 2]
    assert sorted([*batch.first.tolist(), *batch.again.tolist()]) == sorted(
        row * batch.input_ids.shape[1] + column for row, prompt in enumerate(found) for column in range(len(prompt) + 2)
    )


def test_double_or_empty_lists_are_user_errors() -> None:
    with pytest.raises(EagleError, match="twice"):
        build_trie([[1, 0], [1, 0]], full=True)
    with pytest.raises(EagleError, match="empty"):
        build_trie([], full=False)
