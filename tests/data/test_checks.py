from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from eagle.artifacts import content_hash, read_json
from eagle.config import Config
from eagle.data.catalogue import Catalogue, write_catalogue
from eagle.data.checks import NAMED_ROWS, run
from eagle.errors import EagleError
from eagle.project import Project
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


def _out_of_range(c: Catalogue) -> None:
    c.ratings.loc[[3, 5], "rating"] = [9.0, -1.0]


def _no_rating(c: Catalogue) -> None:
    c.ratings.loc[3, "rating"] = float("nan")


def _twice(c: Catalogue) -> None:
    c.ratings.loc[4, ["user", "item"]] = c.ratings.loc[3, ["user", "item"]].to_numpy()


def _unknown_item(c: Catalogue) -> None:
    c.ratings.loc[7, "item"] = "nowhere"


def _no_user(c: Catalogue) -> None:
    c.ratings.loc[7, "user"] = pd.NA


def _same_item_id(c: Catalogue) -> None:
    c.items.loc[1, "item"] = "i0"


def _odd_year(c: Catalogue) -> None:
    c.items.loc[2, "year"] = 3000


def _all_the_same(c: Catalogue) -> None:
    c.ratings["rating"] = 3.0


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            _out_of_range,
            [
                "a rating is out of range",
                "2 of 180 rows",
                "row 3: user=u0",
                "rating=9.0",
                "row 5:",
                "rating=-1.0",
                "1 to 5",
                "data.rating_max",
            ],
        ),
        (_no_rating, ["a rating is missing", "1 of 180 rows", "row 3:", "rating=missing"]),
        (_twice, ["rated an item more than once", "2 of 180 rows", "row 3:", "row 4:"]),
        (_unknown_item, ["a rated item is not in the items table", "row 7:", "item=nowhere"]),
        (_no_user, ["a rating has no user", "row 7: user=missing"]),
        (_same_item_id, ["an item id stands in several rows", "2 of 40 rows", "row 0: item=i0", "row 1: item=i0"]),
        (_odd_year, ["a year is not plausible", "row 2:", "year=3000", "1870 to 2100"]),
        (_all_the_same, ["all ratings are the same", "found: 1"]),
    ],
)
def test_failing_rows_are_named(tmp_path: Path, spoil: Callable[[Catalogue], None], words: list[str]) -> None:
    built = catalogue()
    spoil(built)
    message = str(_failure(tmp_path, built))
    for word in words:
        assert word in message


def test_all_failures_are_told_at_once_and_long_lists_are_cut(tmp_path: Path) -> None:
    built = catalogue()
    built.ratings.loc[range(100, 125), "rating"] = 7.0
    _twice(built)
    _odd_year(built)
    error = _failure(tmp_path, built)
    assert len(error.problems) == 4  # three checks, and where the page is
    assert str(error).count("rating=7.0") == NAMED_ROWS
    assert "and 15 more" in str(error)


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


def test_too_little_of_everything_is_refused(tmp_path: Path) -> None:
    message = str(_failure(tmp_path, catalogue(users=3, items=8, per_user=4)))
    for words in ("there are too few items", "there are too few users", "there are too few ratings", "found: 12", "at least 50"):
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
    _odd_year(built)
    write_catalogue(built, project.catalogue)
    with pytest.raises(EagleError, match="a year is not plausible"):
        run(Config(), project)
    assert read_json(project.validation)["catalogue"] != content_hash(project.catalogue)
