"""Catalogues that lack what films have: no categories, one category, no texts, no years."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from eagle.config import Config, load_config
from eagle.config.parameters import params_yaml
from eagle.config.stages import all_instances, run_stage
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.data.descriptions import Descriptions
from eagle.latent.space import load_latent
from eagle.serving.agent_files import pack_agent
from eagle.serving.steer import Steerer
from eagle.serving.trajectories import render
from tests.end_to_end.small_world import GENRES, small_config, teach_language_model, write_catalogue
from tests.tiny import build_tiny_text_encoder

Change = Callable[[pd.DataFrame], pd.DataFrame]
SECONDS = ["fetch", "validate", "split", "factors", "describe", "quality", "encoder", "profiles", "actions"]
SMALL = {
    "reference": {"names": ["g_optimal"], "updates": 1},
    "evaluate": {"macro": False, "other_temperature": None, "anchors": 2},
}


def told_in_the_plot(items: pd.DataFrame) -> pd.DataFrame:
    """What the genres say moves into the plots."""
    said = items["genres"].str.replace("|", " and ")
    return items.assign(plot=items["plot"] + " So " + said + " meet.").drop(columns="genres")


def write_world(root: Path, change: Change, **columns: str | None) -> Config:
    """Write a changed catalogue and the models; ``columns`` are the names that differ in data.files.columns."""
    write_catalogue(root / "own")
    path = root / "own/items.csv"
    change(pd.read_csv(path)).to_csv(path, index=False)
    model = teach_language_model(root / "models/llm", genres="genres" not in columns, steps=60)
    build_tiny_text_encoder(root / "models/text_model")
    config = small_config(model, **SMALL)
    files = config.data.files
    named = files.model_copy(update={"columns": files.columns.model_copy(update=columns)})
    return config.model_copy(update={"data": config.data.model_copy(update={"files": named})})


def run_stages(config: Config, root: Path, names: list[str]) -> None:
    for name in names:
        run_stage(name, config, Project(root))


@pytest.fixture(scope="module")
def no_genres(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run on a catalogue without categories."""
    root = tmp_path_factory.mktemp("no genres")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        config = write_world(root, told_in_the_plot, genres=None)
        names = all_instances(config)
        run_stages(config, root, [name for name in names[: names.index("report") + 1] if name != "models"])
    (root / "params.yaml").write_text(params_yaml(config), encoding="utf-8")
    return root


def test_without_categories_texts_have_one_field(no_genres: Path) -> None:
    texts = pd.read_parquet(no_genres / "data/descriptions.parquet")["text"]
    assert texts.str.startswith("The plot: ").all()
    written = pd.read_parquet(no_genres / "reports/trajectories.parquet")["text"].dropna()
    assert len(written) > 0
    assert written.str.startswith("The plot: ").all()


def test_without_categories_profiles_and_actions_speak_of_typical_words(no_genres: Path) -> None:
    profiles = pd.read_parquet(no_genres / "data/profiles.parquet")
    assert profiles["short"].str.fullmatch(r"User likes \w.*\. Dislikes \w.*\.").all()
    liked = {word for words in profiles["liked"] for word in words}
    assert liked & set(GENRES)
    assert not profiles["full"].str.contains("genre", case=False).any()
    actions = pd.read_parquet(no_genres / "data/actions.parquet")
    assert set(actions["kind"]) == {"generic", "personalized"}


def test_without_categories_the_report_says_nothing_of_genres(no_genres: Path) -> None:
    cold = json.loads((no_genres / "reports/stages/encoder.json").read_text())["cold"]
    assert all("popularity" in group and "genres only" not in group for group in cold.values())
    assert (no_genres / "reports/report.html").stat().st_size > 0


@pytest.mark.filterwarnings("ignore:.*Any type hint")  # MLflow's own, when it is first imported
def test_without_categories_an_agent_steers_in_the_project_and_as_it_is_registered(
    no_genres: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eagle.serving.model import SteeringModel

    project = Project(no_genres)
    config = load_config(project.params)
    adapter = project.agent("g_optimal")
    user, item = load_latent(project.encoder).users[0], Descriptions.load(project.descriptions).items[0]
    (here,) = Steerer.open(config, project, adapter).samples(user, item, samples=1, seed=4)
    assert all(step.text.startswith("The plot: ") for step in here.steps)
    assert here.profile.startswith("User likes ")
    assert f"for user {user}" in render([here], as_json=False)
    pack_agent(config, project, "g_optimal", tmp_path / "packed")
    monkeypatch.setenv("EAGLE_BASE_MODEL", str(project.llm))
    monkeypatch.setenv("EAGLE_TEXT_MODEL", str(project.text_model))
    model = SteeringModel()
    model.load_context(SimpleNamespace(artifacts={"agent": str(tmp_path / "packed")}))
    asked = pd.DataFrame({"user": [user], "item": [item]})
    assert model.predict(None, asked, {"seed": 4})["text"].tolist() == [here.text]
    assert model.predict(None, asked, {"seed": 4, "budget": 2})["text"].str.startswith("The plot: ").all()


OTHERS: dict[str, tuple[Change, dict[str, Any]]] = {
    "one category": (lambda items: items.assign(genres="item"), {}),
    "no texts": (lambda items: items.drop(columns="plot"), {"text": None}),
    "no years": (lambda items: items.assign(name=items["name"].str.split(" \\(").str[0]), {}),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_catalogues_have_profiles_and_actions(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    change, columns = OTHERS[kind]
    run_stages(write_world(tmp_path, change, **columns), tmp_path, SECONDS)
    profiles = pd.read_parquet(tmp_path / "data/profiles.parquet")
    named = {word for column in ("liked", "disliked") for words in profiles[column] for word in words}
    assert profiles["short"].str.fullmatch(r"User likes \w.*\. Dislikes \w.*\.").all()
    assert "item" not in named
    assert (named <= set(GENRES)) == (kind != "one category")
    assert len(pd.read_parquet(tmp_path / "data/actions.parquet")) > 0


@pytest.mark.parametrize(
    ("change", "columns", "wrong"),
    [
        (lambda items: items[["what", "name"]], {"text": None, "genres": None}, "neither texts nor categories"),
        (lambda items: items.assign(genres=""), {}, "no item has a category"),
    ],
)
def test_what_says_nothing_is_refused_at_fetch(
    change: Change, columns: dict[str, Any], wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = write_world(tmp_path, change, **columns)
    with pytest.raises(EagleError, match=wrong):
        run_stages(config, tmp_path, ["fetch"])
