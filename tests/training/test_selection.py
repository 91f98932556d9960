"""Rounds of search: what a draw adds to its set, the gradient of E[max], a planted best action, and the asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from eagle.config import LoraSettings, SelectionPhase
from eagle.latent.text_utility import TextUtility
from eagle.policies.lora import LoraPolicy
from eagle.testing.methods import ANCHORS, GenreCounts, PlantedWriter, method_context, tell
from eagle.training.decisions import Decision
from eagle.training.scoring import score_decisions
from eagle.training.selection import AskEnvironment, Outcomes, Selection, contributions, set_utility
from tests.tiny import build_tiny_llm
from tests.training.planted import ACTIONS, planted

START = np.array([0.5])


def test_the_best_draw_alone_adds_to_its_set_what_it_is_ahead_of_the_second_best() -> None:
    utility, all_fine = np.array([[1.0, 3.0, 2.5]]), np.ones((1, 3), bool)
    np.testing.assert_allclose(contributions(utility, all_fine, START), [[0.0, 0.5, 0.0]])
    broken = np.array([[True, False, True]])
    np.testing.assert_allclose(contributions(utility, broken, START), [[0.0, 0.0, 1.5]])
    assert set_utility(utility, broken, START) == [2.5]


def test_a_set_without_an_eligible_text_is_worth_its_anchor() -> None:
    utility, none, one = np.array([[1.0, -2.0]]), np.zeros((1, 2), bool), np.array([[False, True]])
    assert set_utility(utility, none, START) == START
    assert not contributions(utility, none, START).any()
    # A search keeps its only whole text, even where the anchor was better: that draw has made the set worse.
    np.testing.assert_allclose(contributions(utility, one, START), [[0.0, -2.5]])


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3), st.lists(st.floats(-2, 2), min_size=3, max_size=3))
def test_contributions_climb_the_expectation_of_the_best_of_all_draws(worth: list[float], logits: list[float]) -> None:
    """Over every set of two draws from three actions: E[sum_i A_i grad log pi(a_i)] = grad E[max]."""
    scores = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    log_pi, values = scores.log_softmax(0), np.array(worth)
    expected, climbed = torch.zeros(()), torch.zeros(())
    for pair in product(range(3), repeat=2):
        drawn = values[list(pair)][None]
        chance = log_pi[list(pair)].sum().exp()
        added = torch.tensor(contributions(drawn, np.ones((1, 2), bool), np.zeros(1))[0])
        expected = expected + chance * float(drawn.max())
        climbed = climbed + chance.detach() * (added * log_pi[list(pair)]).sum()
    (true,) = torch.autograd.grad(expected, scores, retain_graph=True)
    (found,) = torch.autograd.grad(climbed, scores)
    np.testing.assert_allclose(found.numpy(), true.numpy(), atol=1e-9)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_llm(tmp_path_factory.mktemp("llm") / "model")


@pytest.fixture
def policy(base: Path, tmp_path: Path) -> LoraPolicy:
    LoraPolicy.create(base, LoraSettings(rank=4), 0).save(tmp_path / "reference")
    return LoraPolicy.load(base, tmp_path / "reference", trainable=True)


def pays(decisions: Sequence[Decision], actions: Sequence[Sequence[str]], seed: int) -> Outcomes:
    """Every text is worth 2 SD where it was told to add a love story, else 0; all are fine."""
    worth = np.array([[2.0 * (action == ACTIONS[2]) for action in own] for own in actions])
    return Outcomes(worth, np.ones(worth.shape, bool), np.zeros(len(actions)), actions)


def chance_of(policy: LoraPolicy, decisions: Sequence[Decision], action: str) -> float:
    found = zip(decisions, score_decisions(policy, decisions), strict=True)
    return float(np.mean([float(log_pi[d.actions.index(action)].exp()) for d, log_pi in found]))


def phase(policy: LoraPolicy, ask: Any = pays, **settings: Any) -> Selection:
    values: dict[str, Any] = {"pairs": 4, "draws": 2, "learning_rate": 3e-3, "advantage_scale": 1.0, "warmup": 0}
    source = planted().source(horizon=1)
    return Selection(SelectionPhase(**(values | settings)), source, ask, policy, kl_coefficient=0.01, seed=5)


def test_what_makes_sets_better_is_drawn_more_often(policy: LoraPolicy) -> None:
    rounds = phase(policy)
    seen = rounds.source.sample(np.random.default_rng(0), 4)
    before = chance_of(policy, seen, ACTIONS[2])
    rows = [rounds.update(number)[0] for number in range(12)]
    assert chance_of(policy, seen, ACTIONS[2]) > before + 0.2
    assert rows[0]["kl"] == pytest.approx(0, abs=1e-5)
    assert rows[-1]["kl"] > 0
    assert np.mean([row["set_gain"] for row in rows[-4:]]) > np.mean([row["set_gain"] for row in rows[:4]])


def test_a_round_that_tells_nothing_moves_nothing_but_the_listed_mass(policy: LoraPolicy) -> None:
    def same(decisions: Sequence[Decision], actions: Sequence[Sequence[str]], seed: int) -> Outcomes:
        shape = (len(actions), len(actions[0]))
        return Outcomes(np.ones(shape), np.ones(shape, bool), np.zeros(len(actions)), actions)

    row, _ = phase(policy, same, listed_mass=0.0).update(0)
    assert row["gradient_norm"] == pytest.approx(0, abs=1e-6)


def test_equal_seeds_give_equal_rounds_and_parts_that_fit_the_memory_change_nothing(base: Path, tmp_path: Path) -> None:
    LoraPolicy.create(base, LoraSettings(rank=4), 0).save(tmp_path / "reference")
    rows = []
    for at_once in (4, 4, 1):
        rounds = phase(LoraPolicy.load(base, tmp_path / "reference", trainable=True))
        rounds.descent.at_once = at_once
        rows.append([rounds.update(number)[0] for number in range(2)])
    assert rows[0] == rows[1]
    assert [row["loss"] for row in rows[2]] == pytest.approx([row["loss"] for row in rows[0]], rel=1e-4)


def test_the_samples_show_the_best_draw_and_say_where_there_was_none(policy: LoraPolicy) -> None:
    _, samples = phase(policy, draws=8).update(0)
    assert [s["value"] for s in samples] == [2.0 if s["action"] == ACTIONS[2] else 0.0 for s in samples]

    def none(decisions: Sequence[Decision], actions: Sequence[Sequence[str]], seed: int) -> Outcomes:
        return replace(pays(decisions, actions, seed), eligible=np.zeros((len(actions), len(actions[0])), bool))

    _, samples = phase(policy, none).update(0)
    assert all("no text" in s["cause"] for s in samples)


def asking(root: Path, **writer: Any) -> AskEnvironment:
    context = method_context(root)
    return AskEnvironment(
        PlantedWriter(**writer), TextUtility(GenreCounts(), context.data.utility), context.latent.years.get
    )


def at(anchor: str, user: str, text: str) -> Any:
    """A decision as far as the environment sees it."""
    return SimpleNamespace(state=SimpleNamespace(anchor=anchor, text=text), user=user)


def test_the_environment_is_asked_once_for_every_draw_and_again_for_another_text_of_one_action(tmp_path: Path) -> None:
    decisions = [at(ANCHORS[0], "u0", tell("war", "A stranger comes.")), at(ANCHORS[1], "u1", tell("war", "He goes."))]
    action = "Add a comedy."
    found = asking(tmp_path)(decisions, [[action, action], [action, "Add a war."]], seed=3)
    assert len({text for own in found.texts for text in own}) == 4
    assert [own[0].startswith(d.state.text) for d, own in zip(decisions, found.texts, strict=True)] == [True, True]
    assert found.utility.shape == found.eligible.shape == (2, 2)
    alone = asking(tmp_path)(decisions[1:], [[action, "Add a war."]], seed=3)
    assert alone.texts[0] == found.texts[1]
    np.testing.assert_allclose(alone.utility[0], found.utility[1])


def test_a_change_that_fails_is_not_eligible(tmp_path: Path) -> None:
    decisions = [at(ANCHORS[0], "u0", tell("war", "A stranger comes."))]
    found = asking(tmp_path, failing=1.0)(decisions, [["Add a comedy.", "Add a war."]], seed=3)
    assert not found.eligible.any()
    np.testing.assert_allclose(found.kept, found.start)
