"""Saving, loading and freezing of a language model under LoRA."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from eagle.config import LoraSettings
from eagle.core.errors import EagleError
from eagle.policies.adapters import ADAPTER_NOTE, same_shape
from eagle.policies.lora_model import LoraModel
from tests.tiny import build_tiny_llm

PROMPT, LINE = [5, 9, 30, 7, 22], [14, 3, 40, 8]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_llm(tmp_path_factory.mktemp("llm") / "model")


def scores(model: LoraModel) -> np.ndarray:
    with torch.no_grad():
        return model.score_lines([PROMPT], [LINE]).numpy()


def moved(model: LoraModel) -> LoraModel:
    with torch.no_grad():
        for parameter in model.parameters().values():
            parameter.add_(0.1)
    return model


def test_saved_model_scores_the_same_and_its_twin_starts_equal(base: Path, tmp_path: Path) -> None:
    model = moved(LoraModel.create(base, LoraSettings(rank=2), 0))
    model.save(tmp_path / "adapter", name="uniform")
    opened = LoraModel.load(base, tmp_path / "adapter", trainable=True)
    np.testing.assert_allclose(scores(opened), scores(model), atol=1e-6)
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


def test_a_model_that_takes_another_adapter_scores_as_it_does(base: Path, tmp_path: Path) -> None:
    folders, models = [tmp_path / name for name in ("one", "other")], []
    for seed, folder in enumerate(folders):
        models.append(moved(LoraModel.create(base, LoraSettings(rank=2), seed)))
        models[-1].save(folder)
    assert same_shape(*folders)
    assert not np.allclose(scores(models[0]), scores(models[1]), atol=1e-3)
    opened = LoraModel.load(base, folders[0])
    for number in (1, 0):
        opened.take(folders[number])
        np.testing.assert_allclose(scores(opened), scores(models[number]), atol=1e-6)


def test_adapters_of_other_ranks_have_another_shape(base: Path, tmp_path: Path) -> None:
    for rank in (2, 4):
        LoraModel.create(base, LoraSettings(rank=rank), 0).save(tmp_path / str(rank))
    assert not same_shape(tmp_path / "2", tmp_path / "4")


def test_only_the_adapter_is_trained_before_and_after_a_look_at_the_reference(base: Path, tmp_path: Path) -> None:
    LoraModel.create(base, LoraSettings(rank=2), 0).save(tmp_path / "adapter")
    model = LoraModel.load(base, tmp_path / "adapter", trainable=True)
    before = list(model.parameters())
    with model.as_reference():
        pass
    assert list(model.parameters()) == before
    assert before
    assert all("lora_" in name and ".default." in name for name in before)


def test_adapter_of_another_base_is_refused(base: Path, tmp_path: Path) -> None:
    LoraModel.create(base, LoraSettings(rank=2), 0).save(tmp_path / "adapter")
    other = build_tiny_llm(tmp_path / "other", seed=1)
    with pytest.raises(EagleError, match="another language model"):
        LoraModel.load(other, tmp_path / "adapter")


def test_folder_without_an_adapter_or_a_model_is_a_user_error(base: Path, tmp_path: Path) -> None:
    with pytest.raises(EagleError, match="not an adapter"):
        LoraModel.load(base, tmp_path)
    with pytest.raises(EagleError, match="holds no language model"):
        LoraModel.create(tmp_path, LoraSettings(), 0)


def test_note_holds_the_base(base: Path, tmp_path: Path) -> None:
    model = LoraModel.create(base, LoraSettings(rank=2), 0)
    model.save(tmp_path / "adapter", kind="reference")
    assert json.loads((tmp_path / "adapter" / ADAPTER_NOTE).read_text()) == {
        "base": model.base_hash,
        "kind": "reference",
    }
