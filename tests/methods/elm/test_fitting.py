"""Stage elm on files: what it learns from, what it writes, and how the method is opened from that."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from eagle.config import Config, parse_config
from eagle.core.artifacts import content_hash, read_json
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.latent.space import load_latent
from eagle.methods.context import MethodContext
from eagle.methods.elm import stage
from eagle.methods.elm.method import elm
from eagle.methods.elm.pairs import items_of, with_changes
from eagle.training.curves import read_curve
from eagle.training.setup import load_training_data
from tests.methods.elm.elm_project import elm_project
from tests.training.project_files import VALIDATION, copy_of

SECTIONS = ("seed", "data", "domain", "elm", "llm")


def config(**settings: object) -> Config:
    values = {"updates": 2, "adapter_updates": 1, "texts": 2, "hidden": 8, "checked": 2, "lora": {"rank": 2}}
    small = {"dtype": "float32", "device": "cpu", "max_new_tokens": 8}
    return parse_config({"elm": values | settings, "llm": small, "utility": {"neighbours": 1}})


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = elm_project(tmp_path_factory.mktemp("elm") / "root")
    stage.run(config().only(SECTIONS), project)
    return project


def context(project: Project) -> MethodContext:
    data = load_training_data(config().utility, project)
    return MethodContext(config(), project, data, ("u6",), lambda _: ...)  # type: ignore[arg-type, return-value]


def test_nothing_held_out_is_learned_from(fitted: Project) -> None:
    latent = load_latent(fitted.encoder)
    items = items_of("train", latent, fitted)
    assert [text.split("number ")[1][0] for text in items.texts] == ["1", "2", "3", "4", "5"]  # item 0 has no plot
    assert items.years == [1991, 1992, 1993, 1994, 1995]
    pairs = with_changes(items, latent, fitted)
    assert len(pairs.texts) == len(pairs.years) == len(pairs.points) == 5 + 6 * 4
    told = " ".join(pairs.texts)
    assert not any(f"number {n}" in told for n in (6, 7)) and not any(f"story {item}" in told for item in VALIDATION)
    held_out = items_of("validation", latent, fitted)
    assert [text.split("number ")[1][0] for text in held_out.texts] == ["6", "7"]


def test_the_stage_writes_adapter_curve_and_checks(fitted: Project) -> None:
    report = read_json(fitted.stage_metrics("elm"))
    assert report["trained"] is True and report["pairs"] == 29 and report["asked"] == 2
    assert {"semantic", "semantic_by_chance", "behavioural"} <= set(report["decoded"])
    assert read_curve(fitted.curve("elm"))["stage"].tolist() == [1, 2, 2]
    assert not list(fitted.checkpoints.glob("elm_*"))
    method = elm(context(fitted))
    assert method.name == "elm" and method.radius == config().elm.radius


def test_the_same_seed_gives_the_same_adapter(fitted: Project, tmp_path: Path) -> None:
    again = copy_of(fitted, tmp_path / "again")
    shutil.rmtree(again.elm)
    stage.run(config().only(SECTIONS), again)
    assert content_hash(again.elm) == content_hash(fitted.elm)
    assert read_json(again.stage_metrics("elm")) == read_json(fitted.stage_metrics("elm"))


def test_an_adapter_of_another_encoder_or_language_model_is_refused(fitted: Project, tmp_path: Path) -> None:
    other = copy_of(fitted, tmp_path / "encoder")
    (other.encoder / "more.txt").write_text("another encoder", encoding="utf-8")
    with pytest.raises(EagleError, match="reads points of another encoder"):
        elm(context(other))
    other = copy_of(fitted, tmp_path / "model")
    (other.llm / "more.txt").write_text("another model", encoding="utf-8")
    with pytest.raises(EagleError, match="belongs to another language model"):
        elm(context(other))
