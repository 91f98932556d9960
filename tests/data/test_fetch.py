from __future__ import annotations

from pathlib import Path

import pytest

from eagle.config import Config, parse_config
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.data.catalogue import read_catalogue
from eagle.data.fetch import run
from tests.data.builders import catalogue, movielens_archive
from tests.data.conftest import Site


def _own(tmp_path: Path, **data: object) -> tuple[Config, Project]:
    built = catalogue()
    built.ratings.to_csv(tmp_path / "r.csv", index=False)
    built.items.drop(columns="genres").to_csv(tmp_path / "i.csv", index=False)
    files = {"ratings": "r.csv", "items": "i.csv", "columns": {"text": "text", "year": "year"}}
    return parse_config({"data": {"source": "files", "files": files, **data}}), Project(tmp_path)


def test_own_files_become_the_catalogue_folder(tmp_path: Path) -> None:
    config, project = _own(tmp_path, rating_min=1, rating_max=10)
    run(config.only(["data"]), project)
    back = read_catalogue(project.catalogue)
    assert (len(back.ratings), len(back.items), len(back.users)) == (180, 40, 12)
    assert (back.source.name, back.source.rating_min, back.source.rating_max) == ("files", 1.0, 10.0)


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    config, project = _own(tmp_path, max_ratings=100)
    run(config, project)
    first = {p.name: p.read_bytes() for p in project.catalogue.iterdir()}
    run(config, project)
    assert {p.name: p.read_bytes() for p in project.catalogue.iterdir()} == first


def test_filters_of_the_parameters_are_applied(tmp_path: Path) -> None:
    config, project = _own(tmp_path, min_ratings_per_user=1, min_ratings_per_item=5)
    run(config, project)
    ratings = read_catalogue(project.catalogue).ratings
    assert ratings["item"].value_counts().min() >= 5


def test_a_filter_that_leaves_nothing_keeps_the_former_catalogue(tmp_path: Path) -> None:
    config, project = _own(tmp_path)
    run(config, project)
    before = sorted(p.name for p in project.catalogue.iterdir())
    with pytest.raises(EagleError, match="no rating is left"):
        run(_own(tmp_path, min_ratings_per_user=1000)[0], project)
    assert sorted(p.name for p in project.catalogue.iterdir()) == before


def test_a_file_of_a_header_alone_is_refused(tmp_path: Path) -> None:
    config, project = _own(tmp_path)
    (tmp_path / "r.csv").write_text("user,item,rating\n")
    with pytest.raises(EagleError, match=r"r\.csv has no rows"):
        run(config, project)
    assert not project.catalogue.exists()


def test_an_impossible_scale_is_refused(tmp_path: Path) -> None:
    config, project = _own(tmp_path, rating_min=5, rating_max=1)
    with pytest.raises(EagleError, match=r"data\.rating_min is not below"):
        run(config, project)
    assert not project.catalogue.exists()


def test_one_rating_for_everything_is_not_blamed_on_the_scale(tmp_path: Path) -> None:
    config, project = _own(tmp_path, rating_min=1, rating_max=1)
    (tmp_path / "r.csv").write_text("user,item,rating\nu1,i1,1\nu1,i2,1\n")
    with pytest.raises(EagleError, match="all ratings are the same"):
        run(config, project)


def test_an_archive_is_a_source_by_its_name(tmp_path: Path, cache: Path, site: Site) -> None:
    site.files["m.zip"] = movielens_archive("ml-32m")
    data = {"source": "ml-32m", "archive_url": site.address + "m.zip", "min_ratings_per_user": 1}
    run(parse_config({"data": data}), Project(tmp_path))
    assert len(read_catalogue(Project(tmp_path).catalogue).items) == 3
