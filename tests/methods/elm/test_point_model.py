"""ELM's model on a tiny language model: it learns planted items by heart, and the same seed writes the same text."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from eagle.config import parse_config
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.engine.base import SamplingSpec
from eagle.methods.elm.fitting import fresh_model
from eagle.methods.elm.pairs import PointTexts
from eagle.methods.elm.point_model import PointModel
from eagle.methods.elm.training import TwoStages
from tests.tiny import build_tiny_llm

POINTS = np.eye(4, dtype=np.float32)[:3] * 2 - 0.5
TEXTS = [
    "Genres: war. Plot: Two soldiers walk home after the war.",
    "Genres: horror. Plot: A family finds a ghost in the cellar.",
    "Genres: romance. Plot: The young woman falls in love with a robot.",
]
PAIRS = PointTexts(POINTS, TEXTS, [None] * 3)
GREEDY = SamplingSpec(40, 0.0)
WARM = SamplingSpec(12, 1.0, 0.95)
CONFIG = parse_config(
    {
        "elm": {"updates": 60, "adapter_updates": 20, "texts": 3, "hidden": 32, "soft_tokens": 2}
        | {"learning_rate": 2e-2, "adapter_learning_rate": 2e-2, "checkpoint_every": 5, "lora": {"rank": 8}},
        "llm": {"dtype": "float32", "device": "cpu"},
    }
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("elm"))
    build_tiny_llm(project.llm)
    return project


@pytest.fixture(scope="module")
def trained(project: Project, tmp_path_factory: pytest.TempPathFactory) -> PointModel:
    model = fresh_model(CONFIG, project, POINTS)
    TwoStages(model, PAIRS, CONFIG.elm, 7, tmp_path_factory.mktemp("checkpoints")).run()
    return model


def train(project: Project, checkpoints: Path, **settings: int) -> PointModel:
    model = fresh_model(CONFIG, project, POINTS)
    TwoStages(model, PAIRS, CONFIG.elm.model_copy(update=settings), 7, checkpoints).run()
    return model


def weights(model: PointModel) -> dict[str, torch.Tensor]:
    return {**model.adapter.state_dict(), **{name: p.detach() for name, p in model.language_model.parameters().items()}}


def test_it_writes_the_item_whose_point_it_is_given(trained: PointModel) -> None:
    written = [f"Genres:{completion.text}" for completion in trained.write(POINTS, [1, 2, 3], GREEDY)]
    assert written == TEXTS


def test_the_first_stage_moves_the_adapter_alone_and_the_second_both(project: Project, tmp_path: Path) -> None:
    start = {name: tensor.clone() for name, tensor in weights(fresh_model(CONFIG, project, POINTS)).items()}

    def moved(model: PointModel) -> Counter[str]:
        return Counter(
            "lora" if "lora" in name else "adapter"
            for name, tensor in weights(model).items()
            if not torch.equal(tensor, start[name])
        )

    first = train(project, tmp_path / "one", adapter_updates=2, updates=0)
    assert set(moved(first)) == {"adapter"}
    assert set(moved(train(project, tmp_path / "both", adapter_updates=0, updates=2))) == {"adapter", "lora"}


@pytest.mark.parametrize("stopped_in", ["first stage", "second stage"])
def test_training_that_was_stopped_ends_the_same(project: Project, tmp_path: Path, stopped_in: str) -> None:
    whole = train(project, tmp_path / "whole", adapter_updates=6, updates=7)
    model = fresh_model(CONFIG, project, POINTS)
    settings = CONFIG.elm.model_copy(update={"adapter_updates": 6, "updates": 7})
    interrupted = _Interrupted(model, after=5 if stopped_in == "first stage" else 11)
    with pytest.raises(KeyboardInterrupt):
        TwoStages(interrupted, PAIRS, settings, 7, tmp_path / "stopped").run()
    again = train(project, tmp_path / "stopped", adapter_updates=6, updates=7)
    assert all(torch.equal(tensor, weights(whole)[name]) for name, tensor in weights(again).items())


class _Interrupted(PointModel):
    """Is stopped by Ctrl-C once so many batches were read."""

    def __init__(self, model: PointModel, after: int) -> None:
        super().__init__(model.language_model, model.adapter, model.prompt)
        self.left = after

    def log_probs(self, points: np.ndarray, texts: list[str]) -> torch.Tensor:  # type: ignore[override]
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().log_probs(points, texts)


def test_a_text_depends_on_its_point_and_seed_alone(trained: PointModel) -> None:
    points, seeds = POINTS[[0, 1, 0, 2, 0]], [5, 6, 7, 8, 5]
    together = trained.write(points, seeds, WARM)
    alone = [trained.write(points[row : row + 1], seeds[row : row + 1], WARM)[0] for row in range(5)]
    assert [c.token_ids for c in together] == [c.token_ids for c in alone]
    assert together[0] == together[4]
    assert trained.write(np.zeros((0, 4), np.float32), [], WARM) == []


def test_what_is_saved_writes_the_same(trained: PointModel, project: Project, tmp_path: Path) -> None:
    from eagle.domains.open import domain_of

    trained.save(tmp_path)
    opened = PointModel.load(project.llm, tmp_path, domain_of(CONFIG), dtype=torch.float32, device="cpu")
    before, after = (model.write(POINTS, [1, 2, 3], WARM) for model in (trained, opened))
    assert [c.token_ids for c in before] == [c.token_ids for c in after]


def test_the_probability_that_is_learned_is_the_one_that_is_drawn_from(trained: PointModel) -> None:
    """Twins: the pass that trains and the loop that writes give each token the same log-probability."""
    written = trained.write(POINTS[:1], [3], SamplingSpec(30, 0.0))[0]
    learned = trained.log_probs(POINTS[:1], [f"Genres:{written.text}"]).detach().numpy()
    np.testing.assert_allclose(learned, written.log_probs[: len(learned)], atol=1e-4)


def test_points_of_another_dimension_are_refused(trained: PointModel) -> None:
    with pytest.raises(EagleError, match="another dimension"):
        trained.write(np.zeros((1, 5), np.float32), [1], WARM)
