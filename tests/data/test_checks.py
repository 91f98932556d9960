from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from eagle.config import Config
from eagle.core.artifacts import content_hash, read_json
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.data.catalogue import Catalogue, write_catalogue
from eagle.data.checks import NAMED_ROWS, run
from tests.data.builders import catalogue


def _checked(tmp_path: Path, built: Catalogue) -> Project:
    project = Project(tmp_path)
    write_catalogue(built, project.catalogue)
    run(Config(), project)
    return project


def _failure(tmp_path: Path, built: Catalogue) -> EagleError:
    with pytest.raises(EagleError) as caught:
        _checked(tmp_path, built)
    project = Project(tmp_path)
    assert not project.validation.exists()
    assert (project.data_docs / "index.html").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "reports"]
    assert [p for p in tmp_path.rglob("*") if p.name.startswith(".")] == []
    return caught.value


def test_a_good_catalogue_passes_and_its_record_names_it(tmp_path: Path) -> None:
    project = _checked(tmp_path, catalogue())
    record = read_json(project.validation)
    assert record["passed"] is True
    assert record["catalogue"] == content_hash(project.catalogue)
    assert record["counts"] == {"ratings": 180, "items": 40, "users": 12, "items_with_text": 20}
    assert len(record["checks"]) == 17
    assert {check["table"] for check in record["checks"]} == {"items", "users", "ratings"}
    assert "great" in (project.data_docs / "index.html").read_text().lower()


def test_every_failing_row_is_named_and_all_failures_are_told_at_once(tmp_path: Path) -> None:
    built = catalogue()
    built.ratings.loc[[3, 5], "rating"] = [9.0, -1.0]
    built.ratings.loc[8, "rating"] = float("nan")
    built.ratings.loc[11, ["user", "item"]] = built.ratings.loc[10, ["user", "item"]].to_numpy()
    built.ratings.loc[20, "item"] = "nowhere"
    built.ratings.loc[30, "user"] = pd.NA
    built.items.loc[1, "item"] = "i0"
    built.items.loc[2, "year"] = 3000
    built.ratings.loc[built.ratings["item"] == "i1", "item"] = "i2"  # the id that stands no longer in the items
    found = {problem.what: str(problem) for problem in _failure(tmp_path, built).problems}
    expected = {
        "ratings: a rating is out of range": [
            "2 of 180",
            "row 3: user=u0",
            "rating=9.0",
            "row 5:",
            "rating=-1.0",
            "1 to 5",
            "data.rating_max",
        ],
        "ratings: a rating is missing": ["1 of 180", "row 8:", "rating=missing"],
        "ratings: a user has rated an item more than once": ["row 10:", "row 11:"],
        "ratings: a rated item is not in the items table": ["1 of 180", "row 20:", "item=nowhere"],
        "ratings: a rating has no user": ["1 of 180", "row 30: user=missing"],
        "items: an item id stands in several rows": ["2 of 40", "row 0: item=i0", "row 1: item=i0"],
        "items: a year is not plausible": ["1 of 40", "row 2:", "year=3000", "1870 to 2100"],
        "the catalogue is not used": ["validations/ratings"],
    }
    assert set(found) == set(expected)
    for what, words in expected.items():
        for word in words:
            assert word in found[what]


def test_long_lists_of_failing_rows_are_cut(tmp_path: Path) -> None:
    built = catalogue()
    built.ratings["rating"] = 7.0
    message = str(_failure(tmp_path, built))
    assert message.count("rating=7.0") == NAMED_ROWS
    assert "and 170 more" in message
    assert "all ratings are the same\n  found: 1" in message


def test_ids_from_outside_are_escaped_in_the_page_and_told_apart(tmp_path: Path) -> None:
    built = catalogue()
    built.ratings.loc[[3, 4, 5], "item"] = ["<script>alert(1)</script>", "a & b", "a &amp; b"]
    message = str(_failure(tmp_path, built))
    assert "item=<script>alert(1)</script>" in message
    assert "3 of 180 rows" in message
    page = next((tmp_path / "reports/data_docs").glob("validations/ratings/*/*/*.html"))
    assert str(page) in message
    assert "<script>alert(1)" not in page.read_text()
    built = catalogue()
    built.items.loc[[1, 2], "item"] = ["<b>i1</b>", "<b>i1</b>"]
    assert "an item id stands in several rows" in str(_failure(tmp_path, built))
    pages = [page.read_text() for page in (tmp_path / "reports/data_docs").rglob("*.html")]
    assert not [text for text in pages if "<b>i1" in text]
    assert [text for text in pages if "&lt;b&gt;i1" in text]


def test_the_pages_need_no_network_and_no_script(tmp_path: Path) -> None:
    built = catalogue()
    built.items.loc[2, "year"] = 3000
    _failure(tmp_path, built)
    pages = {page: page.read_text() for page in (tmp_path / "reports/data_docs").rglob("*") if page.is_file()}
    assert len(pages) == 7  # the index, and for each table what is asked and what was found
    for page, text in pages.items():
        assert re.findall(r"https?://|//[a-z]+\.|url\(|@import|<script|<link|<img|<iframe|\bsrc=", text) == []
        links = [link for link in re.findall(r'href="([^"]+)"', text) if not link.startswith("#")]
        assert [link for link in links if not (page.parent / link).is_file()] == []
        assert links
    index = pages[tmp_path / "reports/data_docs/index.html"]
    assert (index.count("fa-times text-danger"), index.count("fa-check-circle text-success")) == (1, 2)
    assert all(index.count(f">{table}</td>") == 2 for table in ("items", "users", "ratings"))


def test_too_little_of_everything_is_refused(tmp_path: Path) -> None:
    message = str(_failure(tmp_path, catalogue(users=3, items=8, per_user=4)))
    for words in (
        "there are too few items",
        "there are too few users",
        "there are too few ratings",
        "found: 12",
        "at least 50",
    ):
        assert words in message


def test_another_noun_allows_older_years(tmp_path: Path) -> None:
    built = catalogue()
    built.items.loc[0, "year"] = 868
    project = Project(tmp_path)
    write_catalogue(built, project.catalogue)
    run(Config.model_validate({"data": {"noun": "book"}}), project)
    assert read_json(project.validation)["passed"] is True


def test_a_failed_run_leaves_an_older_record_that_speaks_of_another_catalogue(tmp_path: Path) -> None:
    project = _checked(tmp_path, catalogue())
    built = catalogue()
    built.items.loc[2, "year"] = 3000
    write_catalogue(built, project.catalogue)
    with pytest.raises(EagleError, match="a year is not plausible"):
        run(Config(), project)
    assert read_json(project.validation)["catalogue"] != content_hash(project.catalogue)
