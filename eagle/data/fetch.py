"""Stage ``fetch``: any source becomes the catalogue in data/catalogue/."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from eagle.config import Config, DataConfig
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.data.catalogue import Catalogue, keep_rated_enough, write_catalogue
from eagle.data.source import read_source


def load_source(data: DataConfig, root: Path) -> Catalogue:
    """Return the whole catalogue of ``data.source``; a rating scale in ``data`` goes before the source's own.

    Paths of own files that are not absolute start at ``root``.
    """
    catalogue = read_source(data, root)
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
