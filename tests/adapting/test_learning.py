"""Training on edits: the loss is the engine's, every edit has its turn, and a killed run goes on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from eagle.adapting.learning import END, Adaptation, lessons_of, lines_loss
from eagle.adapting.mining import Edit
from eagle.config import EnvironmentConfig, LoraSettings
from eagle.domains.open import default_domain
from eagle.engine.torch.model import TorchModel
from eagle.environment.prompts import opening, rewrite_prompt
from eagle.policies.lora_model import LoraModel
from eagle.training.trainer import Trainer
from tests.tiny import build_tiny_llm

DOMAIN = default_domain()
EDITS = [
    Edit(
        "Genres: drama. Plot: A family moves to an old house.",
        "Set it in space.",
        "Genres: sci-fi. Plot: The crew of the ship moves to space.",
        "splice",
    ),
    Edit(
        "Genres: war. Plot: Two soldiers walk home.",
        "Add a love story.",
        "Genres: war, romance. Plot: Two soldiers walk home and fall in love.",
        "own",
    ),
    Edit(
        "Genres: comedy. Plot: A retired thief takes one last job.",
        "Make the hero a robot.",
        "Genres: comedy. Plot: A retired robot takes one last job.",
        "neighbour",
    ),
]
SETTINGS = EnvironmentConfig(updates=6, edits=2, learning_rate=0.02, warmup=1, checkpoint_every=2, lora={"rank": 2})


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_llm(tmp_path_factory.mktemp("llm") / "model")


def phase(base: Path) -> tuple[LoraModel, Adaptation]:
    model = LoraModel.create(base, LoraSettings(rank=2), 3)
    return model, Adaptation(model, lessons_of(EDITS, model.tokenizer, DOMAIN), SETTINGS, 11)


def weights(model: LoraModel) -> np.ndarray:
    return torch.cat([p.detach().flatten() for p in model.parameters().values()]).numpy()


def test_the_loss_is_what_the_environments_engine_says_of_the_lines(base: Path) -> None:
    model = LoraModel.create(base, LoraSettings(rank=2), 3)
    lessons = lessons_of(EDITS, model.tokenizer, DOMAIN)
    engine = TorchModel(base, dtype="float32", device="cpu")
    prompts = [rewrite_prompt(engine, e.source, e.action, DOMAIN, examples=False) for e in EDITS]
    said = engine.score(prompts, [e.target.removeprefix(opening(DOMAIN)) + END for e in EDITS])
    tokens = sum(len(lesson.line) for lesson in lessons)
    assert [len(row) for row in said] == [len(lesson.line) for lesson in lessons]
    expected = -sum(row.sum() for row in said) / tokens
    assert lines_loss(model, lessons, tokens).item() == pytest.approx(expected, rel=1e-4)


def test_every_edit_comes_once_before_one_comes_twice(base: Path) -> None:
    model, _ = phase(base)
    seen: Counter[int] = Counter()
    learned = Adaptation(model, lessons_of(EDITS, model.tokenizer, DOMAIN), SETTINGS, 11)
    for number in range(3):
        places = learned.places(number)
        assert len(places) == 2
        seen.update(places)
        assert max(seen.values()) - min(seen[place] for place in range(3)) <= 1
    assert set(seen.values()) == {2}


def test_a_killed_training_goes_on_to_the_same_weights(base: Path, tmp_path: Path) -> None:
    model, whole = phase(base)
    rows = Trainer([lambda: whole], tmp_path / "whole", 2).run().rows
    assert len(rows) == 6 and rows[-1]["loss"] < rows[0]["loss"]

    _, first = phase(base)
    taken = first.update

    def dies(number: int) -> tuple[dict[str, float], list[dict[str, object]]]:
        if number == 5:
            raise KeyboardInterrupt
        return taken(number)

    first.update = dies  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        Trainer([lambda: first], tmp_path / "cut", 2).run()
    resumed, second = phase(base)
    again = Trainer([lambda: second], tmp_path / "cut", 2).run().rows
    assert [row["loss"] for row in again] == [row["loss"] for row in rows]
    np.testing.assert_array_equal(weights(resumed), weights(model))
