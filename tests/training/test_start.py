"""The phases that play through their own start-up, after an all-action phase: real files, a small real language model,
encoder and utility.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from eagle.config import Config, EncoderConfig
from eagle.core.artifacts import content_hash, read_json, read_table, write_table
from eagle.core.costs import account
from eagle.core.project import Project
from eagle.domains.text import Description
from eagle.latent.encoders import save_encoder, text_model_fingerprint
from eagle.latent.features import FeatureMap
from eagle.latent.linear import JointHybrid
from eagle.latent.sentence import SentenceModel
from eagle.quality.gates import Limits
from eagle.training import reference, stage
from eagle.training.on_policy import OnPolicy
from eagle.training.selection import Selection
from tests.end_to_end.small_world import GENRES, PLOTS, teach_language_model
from tests.tiny import build_tiny_text_encoder
from tests.training.project_files import build_project, config, copy_of

PHASES = [
    {"kind": "all_action", "updates": 2, "pairs": 2},
    {"kind": "on_policy", "updates": 2, "episodes": 4, "rollouts_per_pair": 2, "epsilon": 0.3, "max_failures": 0.9},
    {"kind": "selection", "updates": 2, "pairs": 2, "draws": 2},
]


def settings(reward: str) -> Config:
    return config(phases=PHASES, reward=reward, checkpoint_every=1, horizon=2)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project up to its G-optimal reference, whose language model writes descriptions."""
    project = build_project(tmp_path_factory.mktemp("start") / "root")
    shutil.rmtree(project.llm)
    teach_language_model(project.llm)
    described = [Description((GENRES[i % 6], GENRES[(i + 1) % 6]), PLOTS[i % 6]) for i in range(8)]
    table = pd.DataFrame(
        {
            "item": [f"a{i}" for i in range(8)],
            "text": [d.render() for d in described],
            "genres": [list(d.genres) for d in described],
            "plot": [d.plot for d in described],
            "origin": "source",
        }
    )
    write_table(project.descriptions, table, "descriptions")
    write_encoder(project, table["text"].tolist())
    Limits(len(table), 0.01, {}, {}).save(project.quality)
    reference.run(config(), project, "g_optimal")
    return project


def write_encoder(project: Project, texts: list[str]) -> None:
    model = SentenceModel(build_tiny_text_encoder(project.text_model))
    features = FeatureMap.fit(texts, [None] * len(texts), model, EncoderConfig(pca=4))
    weights = np.random.default_rng(0).normal(size=(4, features.dimension))
    made_with = {"kind": "joint_hybrid", "text_model": text_model_fingerprint(project.text_model)}
    save_encoder(JointHybrid(features, weights, model), project.encoder, made_with)


@pytest.fixture(scope="module")
def trained(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Project]:
    """Return the project trained without a stop under a kind of reward, once for each."""

    @cache
    def of(reward: str) -> Project:
        project = copy_of(prepared, tmp_path_factory.mktemp("trained") / "root")
        with account("train@g_optimal", project.cost("train@g_optimal")):
            stage.run(settings(reward), project, "g_optimal")
        return project

    return of


@pytest.mark.parametrize("reward", ["end", "step"])
def test_rollouts_train_and_are_logged(trained: Callable[[str], Project], reward: str) -> None:
    project = trained(reward)
    curve = pd.read_csv(project.curve("train_g_optimal"))
    assert curve["phase"].tolist() == ["all_action"] * 2 + ["on_policy"] * 2 + ["selection"] * 2
    played = curve[curve["phase"] == "on_policy"]
    for column in ("loss", "reward", "kl", "entropy", "value_loss", "duplicate_actions", "no_op_rate", "repetition"):
        assert np.isfinite(played[column]).all(), column
    assert (played["failed_share"] < 1).all()
    searched = curve[curve["phase"] == "selection"]
    for column in ("loss", "set_utility", "set_gain", "eligible_share", "kl", "entropy", "listed_mass"):
        assert np.isfinite(searched[column]).all(), column
    samples = read_table(project.reports / "training/g_optimal.parquet", "training_samples")
    written = samples[(samples["phase"] == "on_policy") & samples["text"].notna()]
    assert written["text"].str.startswith("Genres: ").all()
    assert set(written["step"]) == {1, 2}
    assert written.loc[written["step"] == 2, "value"].notna().all()
    assert (written.loc[written["step"] == 1, "value"].notna() == (reward == "step")).all()
    assert read_json(project.cost("train@g_optimal"))["new_tokens"] > 0


@pytest.mark.parametrize("phase", [OnPolicy, Selection])
def test_stopped_within_a_phase_and_run_again_gives_the_identical_result(
    prepared: Project,
    trained: Callable[[str], Project],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    phase: type[OnPolicy] | type[Selection],
) -> None:
    straight, stopped = trained("step"), copy_of(prepared, tmp_path / "stopped")
    update: Any = phase.update

    def stops(self: Any, number: int) -> tuple[dict, list[dict]]:
        if number == 1:
            raise KeyboardInterrupt
        return update(self, number)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(phase, "update", stops)
        stage.run(settings("step"), stopped, "g_optimal")
    assert not stopped.agent("g_optimal").exists()
    stage.run(settings("step"), stopped, "g_optimal")
    assert content_hash(stopped.agent("g_optimal")) == content_hash(straight.agent("g_optimal"))
    assert stopped.curve("train_g_optimal").read_bytes() == straight.curve("train_g_optimal").read_bytes()
