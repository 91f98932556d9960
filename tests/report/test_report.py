"""The page: escapes, stands alone, is deterministic, and says what is missing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from eagle.config import Config
from eagle.core.artifacts import read_json, read_table, write_json
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.report import run
from eagle.report.content import headlines
from eagle.report.inputs import Inputs
from eagle.report.summary import Summary


class Tags(HTMLParser):
    """Collects tags, attributes and visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def page(finished: Project) -> str:
    run(Config(), finished)
    return finished.report.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tags(page: str) -> Tags:
    parser = Tags()
    parser.feed(page)
    return parser


def test_hostile_texts_are_shown_and_never_run(page: str, tags: Tags) -> None:
    assert not {tag for tag, _ in tags.tags} & {"script", "iframe", "img", "object", "embed", "link", "base", "form"}
    assert not [name for _, attributes in tags.tags for name in attributes if name.startswith("on")]
    shown = "".join(tags.text)
    for place in ("Title i0", "User likes", "plan eagle_g_optimal", "broken", "recipe"):
        assert f"{place}" in shown
    assert shown.count("<script>alert('x')</script>") > 20
    assert "<script" not in page


def test_the_first_figures_are_those_of_most_cases(finished: Project) -> None:
    """The comparison at equal budgets has more people than the main table, whose figures stand in for it."""
    inputs = Inputs.load(finished)
    first, *_, last = headlines(inputs, 7)
    assert first.figure == "+1.00 SD"
    assert first.says.startswith(
        "gain in utility over the film it started from: EAGLE, best of 2 texts of one change [+1.00"
    )
    assert last.says.startswith("of computing")
    compared = inputs.metrics["eagle_g_optimal"]["gain_over_anchor"]["mean"]
    alone = headlines(replace(inputs, budgets=inputs.budgets.iloc[:0]), 7)
    assert [part.figure for part in alone[::2]] == [f"{compared:+.2f} SD", "7"]
    with_shelf = inputs.budgets.copy()
    with_shelf.loc[with_shelf["metric"] == "shelf_stars", ["mean", "low", "high"]] = (0.2, 0.1, 0.3)
    told = {part.figure: part.says for part in headlines(replace(inputs, budgets=with_shelf), 7)}
    assert told["+0.20 stars"] == "gain by people's real ratings of hidden films [+0.10, +0.30]"


def test_stands_alone(page: str, tags: Tags) -> None:
    policies = [
        a["content"] or "" for t, a in tags.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies
    assert policies[0].startswith("default-src 'none'")
    places = [
        value or ""
        for _, attributes in tags.tags
        for name, value in attributes.items()
        if name in ("href", "src", "xlink:href")
    ]
    assert places
    assert all(place.startswith("#") for place in places)
    assert "url(http" not in page
    assert "@import" not in page


def test_an_encoder_that_is_no_better_than_chance_is_told_above_everything_else(
    page: str, finished: Project, tmp_path: Path
) -> None:
    shutil.copytree(finished.root, tmp_path, dirs_exist_ok=True)
    project = Project(tmp_path)
    auc, ahead = {"value": 0.5, "low": 0.49, "high": 0.51, "users": 30}, {"value": -0.1, "low": -0.12, "high": -0.08}
    found = {"auc": auc, "over_popularity": {"auc": ahead}, "least_ratings": 5, "verdict": "cannot be told from chance"}
    encoder = read_json(finished.stage_metrics("encoder"))
    write_json(project.stage_metrics("encoder"), {**encoder, "against_popularity": {"test": {"as in U": found}}})
    run(Config(), project)
    warned = project.report.read_text(encoding="utf-8")
    assert "Read this first" not in page
    assert 0 < warned.index("Read this first") < warned.index("<nav>")
    assert "0.500 [0.490, 0.510]" in warned
    assert any("cannot be told from chance" in note for note in Summary.read(project).notes)


def test_links_and_ids_match(tags: Tags) -> None:
    ids = [attributes["id"] for _, attributes in tags.tags if attributes.get("id")]
    links = {a["href"][1:] for t, a in tags.tags if t == "a" and a.get("href")}
    used = {(a.get("xlink:href") or "#")[1:] for t, a in tags.tags if t == "use"}
    assert links <= set(ids)
    assert used <= set(ids)
    assert len(ids) == len(set(ids))


def test_same_inputs_same_bytes(page: str, finished: Project) -> None:
    run(Config(), finished)
    assert finished.report.read_text(encoding="utf-8") == page


def test_what_an_arm_of_an_earlier_run_left_is_not_shown(page: str, finished: Project, tmp_path: Path) -> None:
    """Parameters that no longer name an arm leave its files; the page is the same with and without them."""
    project = Project(tmp_path / "again")
    shutil.copytree(finished.root, project.root)
    shutil.copy(project.curve("train_g_optimal"), project.curve("train_uniform"))
    costs = read_json(project.cost("train@g_optimal"))
    write_json(project.cost("train@uniform"), costs | {"stage": "train@uniform"})
    run(Config(), project)
    assert project.report.read_text(encoding="utf-8") == page


def test_says_what_was_found(tags: Tags) -> None:
    shown = " ".join(" ".join(tags.text).split())
    assert "EAGLE, G-optimal, asked once for each change: It learned." in shown
    assert "the simple linear rule with as many changes" in shown
    assert "not run: dvc exp run -S evaluate.other_temperature=0.5" in shown
    assert "not run: dvc exp run -S actions.personalized_share=0" in shown


def test_an_arm_that_no_module_knows_is_shown_like_any_other(tags: Tags, finished: Project) -> None:
    assert "A made-up search" in "".join(tags.text)
    found = read_table(finished.reports / "gaps.parquet", "gaps")
    assert set(found["arm"]) <= {
        "eagle_g_optimal",
        "eagle_g_optimal_listed",
    }


def test_where_the_time_of_an_update_went_is_drawn(page: str) -> None:
    assert "Where the time of training EAGLE, G-optimal went" in page
    assert 'id="times-g_optimal' in page


def test_costs_are_summed(page: str, finished: Project) -> None:
    costs = read_json(finished.reports / "costs.json")
    assert costs["total"] == {
        "seconds": 100.0,
        "prompt_tokens": 20,
        "new_tokens": 28,
        "remembered_tokens": 8,
        "calls": 4,
        "repeated": 3,
        "failed": 0,
        "halved": 1,
        "peak_memory_mib": 400.0,
    }
    assert (
        "Faults on the way: 3 requests repeated, 0 texts without an answer after all tries, batches halved 1 times"
        in page
    )
    assert list(costs["stages"]) == ["fetch", "encoder", "train@g_optimal", "evaluate"]


def test_gaps_are_the_best_first_with_their_neighbours(page: str, finished: Project) -> None:
    gaps = read_table(finished.reports / "gaps.parquet", "gaps")
    assert gaps["rank"].tolist() == list(range(1, len(gaps) + 1))
    assert gaps["gain"].is_monotonic_decreasing
    assert (gaps["gain"] > 0).all()
    assert gaps["text"].is_unique
    assert all(len(titles) == 3 for titles in gaps["nearest_titles"])
    assert all((row[:-1] <= row[1:]).all() for row in gaps["nearest_distances"])


def test_missing_inputs_are_all_named(finished: Project, tmp_path: Path) -> None:
    copy = Project(tmp_path / "copy")
    shutil.copytree(finished.root, copy.root)
    copy.metrics.unlink()
    shutil.rmtree(copy.encoder)
    with pytest.raises(EagleError) as caught:
        run(Config(), copy)
    assert len(caught.value.problems) == 2
    assert "metrics.json" in str(caught.value)
    assert "dvc repro" in str(caught.value)
