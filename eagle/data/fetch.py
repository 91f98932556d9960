"""Stage ``fetch``: any source becomes the catalogue in data/catalogue/."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from eagle.config import Config, DataConfig
from eagle.core.errors import EagleError, user_error
from eagle.core.project import Project
from eagle.data.catalogue import Catalogue, keep_rated_enough, write_catalogue
from eagle.data.columns.scale import nothing_to_learn
from eagle.data.overview import Overview, overview
from eagle.data.settle import settle
from eagle.data.sources.base import read_source


def load_source(data: DataConfig, root: Path) -> Catalogue:
    """Return the whole catalogue of ``data.source``; a rating scale in ``data`` goes before the source's own.

    Paths of own files that are not absolute start at ``root``. What ``data`` says of codes, repeated ratings, unknown
    items and rare categories is done.
    """
    catalogue = read_source(data, root)
    low = catalogue.source.rating_min if data.rating_min is None else data.rating_min
    high = catalogue.source.rating_max if data.rating_max is None else data.rating_max
    if low >= high:
        if equal := nothing_to_learn(catalogue.ratings):
            raise EagleError(equal)
        raise user_error(
            "data.rating_min is not below data.rating_max",
            found=f"{low:g} and {high:g}",
            mend="set both to the ends of the source's own scale",
        )
    return settle(replace(catalogue, source=replace(catalogue.source, rating_min=low, rating_max=high)), data)


def filtered(source: Catalogue, data: DataConfig) -> tuple[Catalogue, Overview]:
    """Return what goes on of a whole source, and what was read in one look.

    Users and items with too few ratings, and users beyond ``data.max_ratings``, are left out; items that nobody rated
    stay where ``data.never_rated`` says so.
    """
    enough = keep_rated_enough(source, data.min_ratings_per_user, data.min_ratings_per_item, 0)
    kept = enough
    if data.max_ratings:
        kept = keep_rated_enough(source, data.min_ratings_per_user, data.min_ratings_per_item, data.max_ratings)
    if data.never_rated == "keep":
        kept = _with_never_rated(kept, source)
    return kept, overview(source, enough, kept, data)


def _with_never_rated(kept: Catalogue, source: Catalogue) -> Catalogue:
    """Return the catalogue with the items that have no rating in the source, after the others."""
    never = source.items[~source.items["item"].isin(source.ratings["item"]) & source.items["item"].notna()]
    if never.empty:
        return kept
    return replace(kept, items=pd.concat([kept.items, never], ignore_index=True))


def run(config: Config, project: Project) -> None:
    """Read the source, leave out rare users and items, write ``data/catalogue/`` and say what was read."""
    kept, seen = filtered(load_source(config.data, project.root), config.data)
    write_catalogue(kept, project.catalogue, seen.to_json())
    for line in seen.printed():
        print(line)
