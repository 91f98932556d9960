"""Stage ``fetch``: any source becomes the catalogue in data/catalogue/."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from eagle.config import Config, DataConfig
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.data.archives import official_archive
from eagle.data.catalogue import Catalogue, keep_rated_enough, write_catalogue
from eagle.data.movielens100k import movielens_100k
from eagle.data.own_files import own_files


def load_source(data: DataConfig, root: Path) -> Catalogue:
    """Return the whole catalogue of ``data.source``; a rating scale in ``data`` goes before the source's own.

    Paths of own files that are not absolute start at ``root``.
    """
    if data.source == "files":
        catalogue = own_files(data.files, root)
    elif data.source == "movielens-100k":
        catalogue = movielens_100k()
    else:
        catalogue = official_archive(data.source, data.archive_url)
    low = catalogue.source.rating_min if data.rating_min is None else data.rating_min
    high = catalogue.source.rating_max if data.rating_max is None else data.rating_max
    if low >= high:
        raise user_error("data.rating_min is not below data.rating_max", found=f"{low:g} and {high:g}")
    return replace(catalogue, source=replace(catalogue.source, rating_min=low, rating_max=high))


def run(config: Config, project: Project) -> None:
    """Read the source, leave out rare users and items, write ``data/catalogue/``."""
    data = config.data
    catalogue = load_source(data, project.root)
    write_catalogue(
        keep_rated_enough(catalogue, data.min_ratings_per_user, data.min_ratings_per_item, data.max_ratings),
        project.catalogue,
    )
