"""Stage environment on files: off, refused, kept and not kept; and that the environment then uses what was decided."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from eagle.adapting import stage
from eagle.adapting.work import AdaptingWork
from eagle.config import Config, parse_config
from eagle.core.artifacts import content_hash, read_json, read_table, write_table
from eagle.core.errors import EagleError
from eagle.core.folders import EnvironmentFiles
from eagle.core.project import Project
from eagle.domains.open import domain_of
from eagle.domains.text import Description, Fields
from eagle.engine.scripted import ScriptedModel
from eagle.environment.adapted import EnvironmentDecision, kept_adapter, read_decision, reason_against
from eagle.environment.checks import words
from eagle.environment.prompts import rewrite_prompt
from eagle.environment.rewrite import Rewriter
from eagle.environment.sharded import environment_identity
from tests.tiny import build_tiny_llm, build_tiny_text_encoder

TEXTS = [
    "A retired {a} takes one last job in {b}. The young woman falls in love with a {c}.",
    "A family of a {a} moves to an old house in {b}. It finds a {c} in the cellar.",
    "Two friends of the {a} walk home to {b} after the war. One of them must save the {c}.",
]
WORDS = [
    ("thief", "Paris", "robot"),
    ("soldier", "space", "ghost"),
    ("writer", "Rome", "ship"),
    ("doctor", "town", "film"),
]
TINY = {"adapt": True, "stories": 40, "mined": 8, "own": 8, "own_drawn": 8, "updates": 2, "edits": 1, "warmup": 1,
        "anchors": 2, "changes": 4, "lora": {"rank": 2}}  # fmt: skip


def config(**environment: object) -> Config:
    """Parameters of a small project whose films are the user's own."""
    return parse_config(
        {
            "data": {"source": "files"},
            "llm": {"dtype": "float32", "device": "cpu", "max_new_tokens": 12},
            "environment": {**TINY, **environment},
        }
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Items with texts, split, described; both models."""
    project = Project(tmp_path_factory.mktemp("project"))
    build_tiny_llm(project.llm)
    build_tiny_text_encoder(project.text_model)
    texts = [text.format(a=a, b=b, c=c) for text in TEXTS for a, b, c in WORDS]
    names, genres = [f"i{n:02}" for n in range(len(texts))], [["drama"], ["horror", "war"], ["sci-fi"]]
    labels = [genres[n % 3] for n in range(len(texts))]
    items = pd.DataFrame({"item": names, "title": names, "text": texts, "genres": labels, "year": [1990] * len(texts)})
    described = pd.DataFrame(
        {
            "item": names,
            "text": [Description(tuple(g), t).render() for g, t in zip(labels, texts, strict=True)],
            "genres": labels,
            "plot": texts,
            "year": [1990] * len(texts),
            "origin": "source",
        }
    )
    split = pd.DataFrame({"item": names, "split": ["train"] * 9 + ["validation"] * 2 + ["test"]})
    write_table(project.catalogue_files.items, items.astype({"year": "Int64"}), "items")
    write_table(project.descriptions, described.astype({"year": "Int64"}), "descriptions")
    write_table(project.split_files.items, split, "item_split")
    return project


@pytest.fixture(scope="module")
def bare(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same catalogue without categories."""
    there = Project(tmp_path_factory.mktemp("bare"))
    shutil.copytree(project.root, there.root, dirs_exist_ok=True)
    described = read_table(project.descriptions, "descriptions")
    lines = [Description((), plot, Fields().without_labels()).render() for plot in described["plot"]]
    without = described.assign(text=lines, genres=[[] for _ in lines])
    write_table(there.descriptions, without, "descriptions")
    return there


def test_off_is_the_plain_model_and_todays_texts(project: Project) -> None:
    before = texts_of(project)
    identity = environment_identity(config().llm, domain_of(config()), project, "eagle.environment.sharded")
    stage.run(config(adapt=False), project)
    assert read_decision(project.environment) == EnvironmentDecision(False, ("environment.adapt is false",))
    assert kept_adapter(project.environment) is None
    assert texts_of(project) == before
    assert identity == environment_identity(config().llm, domain_of(config()), project, "eagle.environment.sharded")
    assert read_json(project.stage_metrics("environment"))["adapted"] is False


def test_other_code_does_not_take_up_what_is_unfinished(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    before = AdaptingWork(config(), project).unfinished
    assert AdaptingWork(config(), project).unfinished == before
    monkeypatch.setattr("eagle.adapting.work.code_behind", lambda *_: "changed")
    assert AdaptingWork(config(), project).unfinished != before


def texts_of(project: Project) -> list[tuple[str, ...]]:
    """What the environment asks of its model: prompts with examples, no adapter."""
    model = ScriptedModel()
    writer = Rewriter.open(config(), project, model=model)
    writer.rewrite(["Genres: drama. Plot: A thief takes a job."], ["Set it in space."], [1])
    assert model.adapters == []
    return [prompts for prompts, _, _ in model.asked]


@pytest.mark.parametrize(
    ("adapt", "llm", "reason"),
    [
        (False, {}, "environment.adapt is false"),
        ("auto", {"endpoint": "http://localhost:1/v1"}, "another engine than torch writes the texts"),
        ("auto", {"engine": "scripted"}, "another engine than torch writes the texts"),
        ("auto", {"dtype": "float32"}, "computes in float32 here"),
        ("auto", {"dtype": "bfloat16"}, None),
        ("auto", {"dtype": "bfloat16", "engine": "torch", "endpoint": "http://localhost:1/v1"}, None),
        (True, {"dtype": "float32"}, None),
    ],
)
def test_auto_adapts_where_it_is_quick(adapt: object, llm: dict[str, str], reason: str | None) -> None:
    found = reason_against(parse_config({"environment": {"adapt": adapt}, "llm": {"device": "cpu", **llm}}))
    assert found is None if reason is None else reason in (found or "")


def test_an_endpoint_is_refused_in_one_message() -> None:
    for llm in ({"endpoint": "http://localhost:1/v1"}, {"engine": "scripted"}):
        with pytest.raises(EagleError, match=r"environment.adapt trains the model's own weights") as refused:
            parse_config({"environment": {"adapt": True}, "llm": llm})
        assert len(refused.value.problems) == 1


@pytest.mark.parametrize("which", ["project", "bare"])
def test_a_real_run_writes_both_sides_and_why(
    which: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    project: Project = request.getfixturevalue(which)
    monkeypatch.setattr("eagle.adapting.drafts.LEAST", -1.0)  # an untaught sentence model: all texts are neighbours
    monkeypatch.setattr("eagle.adapting.drafts.MOST", 2.0)
    monkeypatch.setattr("eagle.adapting.stories.NEAR", 2.0)
    monkeypatch.setattr("eagle.adapting.mining.FITS", -9.0)
    stage.run(config(), project)
    told = read_json(project.stage_metrics("environment"))
    assert sum(told["edits"].values()) >= 4 and told["loss_first"] > 0
    assert told["plain"]["texts"] == told["tried"]["texts"] == 8
    assert not told["adapted"] and told["reasons"], "two steps make no random model better"
    assert not EnvironmentFiles(project.environment).adapter.exists()
    assert not list(project.checkpoints.glob("environment_*"))
    shown = capfd.readouterr().err
    assert "answers of the plain model: 100%" in shown and shown.count("validation items: 100%") == 2


def test_without_categories_actions_name_typical_words(bare: Project) -> None:
    changes, plots = AdaptingWork(config(), bare).changes, read_table(bare.descriptions, "descriptions")["plot"]
    named = {change.label for change in changes} - {None}
    assert {"cellar", "town"} <= named <= {word for plot in plots for word in words(plot)}
    assert {f"Make {word} its main theme." for word in named} <= {change.action for change in changes}
    assert any(change.label is None for change in changes)


def test_too_little_to_learn_from_is_the_plain_model(project: Project) -> None:
    stage.run(config(mined=0, own=0), project)
    assert "0 edits to learn from" in read_decision(project.environment).reasons[0]


def test_a_kept_adapter_writes_without_examples(project: Project, tmp_path: Path) -> None:
    there = Project(tmp_path)
    there.descriptions.parent.mkdir(parents=True)
    there.descriptions.write_bytes(project.descriptions.read_bytes())
    files = EnvironmentFiles(there.environment)
    files.adapter.mkdir(parents=True)
    (files.adapter / "adapter_config.json").write_text("{}")
    EnvironmentDecision(True, ("better",)).save(files.decision)
    model = ScriptedModel()
    asked = ("Genres: drama. Plot: A thief takes a job.", "Set it in space.")
    Rewriter.open(config(), there, model=model).rewrite([asked[0]], [asked[1]], [1])
    assert model.adapters[:2] == [files.adapter, None] and model.adapters[-1] is None
    assert model.asked[0][0] == (rewrite_prompt(model, *asked, domain_of(config()), examples=False),)
    Rewriter.open(config(), there, model=(other := ScriptedModel()), plain=True).rewrite([asked[0]], [asked[1]], [1])
    assert other.adapters == [] and other.asked[0][0] != model.asked[0][0]
    there.llm.mkdir(parents=True)
    (there.llm / "config.json").write_text("{}")
    identity = environment_identity(config().llm, domain_of(config()), there, "eagle.environment.sharded")
    assert identity["adapter"] == content_hash(files.adapter)
