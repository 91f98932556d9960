"""The catalogue's texts: shortened at sentences, one line, origin told."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eagle.config import Config, DescribeConfig
from eagle.core.artifacts import read_json, read_table, write_table
from eagle.core.project import Project
from eagle.domains.text import Description
from eagle.engine.scripted import ScriptedModel
from eagle.environment import describe

ITEMS = pd.DataFrame(
    {
        "item": ["1", "2", "3", "4"],
        "title": ["One", "Two", "Three", "Four"],
        "text": ["A thief\nsteals. Plot: He runs away! The end comes soon after.", None, None, "   "],
        "genres": [["Crime", "crime"], ["drama"], ["sci-fi", "St. Elmo, new"], []],
        "year": pd.array([1990, 1991, None, 1993], dtype="Int64"),
    }
)
RATINGS = pd.DataFrame(
    {
        "user": list("abcab"),
        "item": ["3", "3", "2", "2", "2"],
        "rating": [3.0] * 5,
        "part": ["fit", "fit", "fit", "panel", "panel"],
    }
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    write_table(project.catalogue_files.items, ITEMS, "items")
    project.llm.mkdir(parents=True)
    write_table(project.split_files.ratings, RATINGS, "rating_split")
    return project


def _run(project: Project, **settings: int) -> pd.DataFrame:
    config = Config(describe=DescribeConfig(**settings)).only(["seed", "data", "domain", "describe", "llm"])  # type: ignore[arg-type]
    describe.run(config, project)
    return read_table(project.descriptions, "descriptions").set_index("item")


def test_source_texts_are_kept_and_the_rest_has_its_genres(project: Project) -> None:
    table = _run(project, max_words=6)
    assert table.at["1", "text"] == "Genres: crime. Plot: A thief steals. He runs away!"
    assert table.at["3", "text"] == "Genres: sci-fi, st elmo new."
    assert list(table["origin"]) == ["source", "metadata", "metadata", "metadata"]
    assert table["year"].isna().tolist() == [False, False, True, False]
    told = read_json(project.stage_metrics("describe"))
    assert (told["items_source"], told["items_metadata"], told["share_of_ratings_with_plot"]) == (1, 3, 0.0)


def test_the_most_rated_items_without_a_text_are_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    plot = "A crew on a lost ship finds a door that should not be there."
    model = ScriptedModel(lambda prompt, _: f" {plot}" if "Three" in prompt else " No.")
    monkeypatch.setattr("eagle.environment.describe.open_language_model", lambda *_: model)
    table = _run(project, write_at_most=2)
    assert table.at["3", "text"] == f"Genres: sci-fi, st elmo new. Plot: {plot}"
    assert list(table["origin"]) == ["source", "metadata", "llm", "metadata"]
    assert [p.splitlines()[-2].split(":")[1] for p in model.asked[0][0]] == [" Three", " Two (1991)"]
    assert read_json(project.stage_metrics("describe"))["failed"] == {"too short": 1}


def test_the_same_run_twice_writes_the_same_bytes(project: Project) -> None:
    _run(project)
    first = project.descriptions.read_bytes()
    _run(project)
    assert project.descriptions.read_bytes() == first


@given(st.text(max_size=300), st.integers(1, 20))
def test_a_shortened_text_is_one_line_within_the_limit(text: str, limit: int) -> None:
    short = describe.shorten(text, limit)
    assert len(short.split()) <= limit
    assert "\n" not in short
    assert bool(short) == bool(describe.shorten(text, 10**6))


@given(st.text(alphabet="ab.!? \n:,", max_size=60))
def test_every_description_parses_back(text: str) -> None:
    items = ITEMS.head(1).assign(text=text)
    row = describe.describe(items, 10).iloc[0]
    assert Description.parse(row["text"]) == Description(tuple(row["genres"]), row["plot"])
