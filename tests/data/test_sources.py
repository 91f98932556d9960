"""Every built-in source holds the contract, and a user's own is found by its place."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from eagle.built_in.sources import SOURCES
from eagle.config import DataConfig, FileColumns, OwnFiles, parse_config
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.data import fetch
from eagle.data.catalogue import Catalogue, read_catalogue
from eagle.data.sources import clothing, movielens100k
from eagle.data.sources.archives import OfficialArchive
from eagle.data.sources.base import Source, open_source
from eagle.data.sources.own_files import UsersFiles
from eagle.domains.open import domain_of
from eagle.domains.text import Fields
from eagle.testing.sources import SourceContract
from tests.data.builders import catalogue as built
from tests.data.builders import movielens_archive
from tests.data.conftest import Site
from tests.data.test_movielens100k import movielens_package

REVIEWS = pd.DataFrame(
    {
        "Clothing ID": [7, 7, 7, 9, 9],
        "Age": [30, 30, 41, 41, 55],
        "Title": ["Fine", None, "Hm", "Oh", None],
        "Review Text": ["Soft\nand warm.", None, "Too long for me.", None, None],
        "Rating": [5, 4, 2, 3, 1],
        "Recommended IND": [1, 1, 0, 1, 0],
        "Positive Feedback Count": [1, 9, 3, 0, 0],
        "Division Name": ["General", "General", "General", None, None],
        "Department Name": ["Tops", "Tops", "Tops", None, None],
        "Class Name": ["Knits", "Knits", "Knits", None, None],
    }
)


class TestUsersFiles(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        return UsersFiles()

    @pytest.fixture
    def data(self, root: Path) -> DataConfig:
        made = built()
        made.ratings.to_csv(root / "r.csv", index=False)
        made.items.drop(columns="genres").to_csv(root / "i.csv", index=False)
        return DataConfig(
            source="files", files=OwnFiles(ratings="r.csv", items="i.csv", columns=FileColumns(text="text"))
        )


class TestOfficialArchive(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        return OfficialArchive()

    @pytest.fixture
    def data(self, cache: Path, site: Site) -> DataConfig:
        site.files["m.zip"] = movielens_archive("ml-25m")
        return DataConfig(source="ml-25m", archive_url=f"{site.address}m.zip")


class TestMovieLens100K(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
        movielens_package(tmp_path)
        monkeypatch.setattr(movielens100k, "package_file", lambda *found: tmp_path / Path(found[-1]).name)
        return movielens100k.MovieLens100K()


@pytest.fixture
def reviews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "reviews.parquet"
    REVIEWS.to_parquet(path)
    monkeypatch.setattr(clothing, "package_file", lambda *_: path)


@pytest.mark.usefixtures("reviews")
class TestClothing(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        return clothing.ClothingReviews()

    def test_an_age_rates_by_its_mean_and_the_most_helpful_review_is_the_text(self, catalogue: Catalogue) -> None:
        assert catalogue.ratings[["user", "item", "rating"]].values.tolist() == [
            ["age 30", "7", 4.5],
            ["age 41", "7", 2.0],
            ["age 41", "9", 3.0],
            ["age 55", "9", 1.0],
        ]
        assert catalogue.items["title"].tolist() == ["Knits 7", "Garment 9"]
        assert catalogue.items["text"].tolist() == ["Too long for me.", pd.NA]
        assert catalogue.items["genres"].tolist() == [["tops", "knits"], []]


def test_every_name_in_the_table_opens_a_source() -> None:
    assert all(isinstance(open_source(name), Source) for name in SOURCES)


def test_clothes_are_spoken_of_as_clothes() -> None:
    assert domain_of(parse_config({"data": {"source": "clothing"}})).noun == "garment"
    assert domain_of(parse_config({"data": {"source": "clothing", "noun": "dress"}})).noun == "dress"


OWN = """
import pandas as pd
from eagle.data.catalogue import Provenance, make_catalogue

class Jokes:
    def read(self, data, root):
        lines = (root / "jokes.txt").read_text().splitlines()
        items = pd.DataFrame({"item": range(len(lines)), "title": lines, "genres": [["puns"]] * len(lines)})
        ratings = pd.DataFrame({"user": ["a", "b"], "item": [0, 1], "rating": [4, 1]})
        return make_catalogue(ratings, items, Provenance("jokes", {"jokes.txt": "0"}, 1, 5))

class Unsorted(Jokes):
    def read(self, data, root):
        jokes = super().read(data, root)
        items = jokes.items.assign(genres=[[] for _ in range(len(jokes.items))], text="A parrot asks for a ladder.")
        return make_catalogue(jokes.ratings, items, jokes.source)

class Nothing:
    def read(self, data, root):
        return None

class NoSource:
    pass
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_jokes.py").write_text(OWN)
    (tmp_path / "jokes.txt").write_text("Why?\nBecause.\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_source_of_ones_own_becomes_the_catalogue(own: Path) -> None:
    data = {"source": "my_jokes:Jokes", "min_ratings_per_user": 1, "rating_max": 6}
    fetch.run(parse_config({"data": data}), Project(own))
    read = read_catalogue(Project(own).catalogue)
    assert (read.source.name, read.source.rating_max, read.items["title"].tolist()) == (
        "jokes",
        6.0,
        ["Why?", "Because."],
    )


def test_a_source_of_ones_own_may_be_without_categories(own: Path) -> None:
    data = {"source": "my_jokes:Unsorted", "noun": "joke", "min_ratings_per_user": 1}
    with pytest.raises(EagleError, match=r"(?s)no item has a category.*my_jokes:Unsorted.*data.categories to false"):
        fetch.run(parse_config({"data": data}), Project(own))
    config = parse_config({"data": data | {"categories": False}})
    fetch.run(config, Project(own))
    assert domain_of(config).fields == Fields("", "The description")


def test_categories_that_are_not_wanted_are_left_out_with_a_word(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = {"source": "my_jokes:Unsorted", "noun": "joke", "min_ratings_per_user": 1}
    (own / "my_sorted.py").write_text(OWN.replace("genres=[[] for _ in range(len(jokes.items))], ", ""))
    config = parse_config({"data": data | {"source": "my_sorted:Unsorted", "categories": False}})
    fetch.run(config, Project(own))
    assert "the categories of 2 items left out (data.categories: false)" in capsys.readouterr().out
    assert read_catalogue(Project(own).catalogue).items["genres"].tolist() == [[], []]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("my_jokes:Nothing", r"(?s)reads no catalogue.*NoneType.*make_catalogue"),
        ("my_jokes:NoSource", r"(?s)is no source.*without read"),
        ("my_jokes:Joke", r"(?s)no source 'my_jokes:Joke'.*Jokes"),
    ],
)
def test_what_is_no_source_is_said(own: Path, kind: str, said: str) -> None:
    with pytest.raises(EagleError, match=said):
        fetch.run(parse_config({"data": {"source": kind}}), Project(own))
