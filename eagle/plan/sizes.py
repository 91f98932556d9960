"""How large the catalogue is, or will be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from eagle.config import Config, load_config
from eagle.core.errors import user_error
from eagle.core.folders import CatalogueFiles
from eagle.core.project import Project

KNOWN_SIZES = {
    "movielens-100k": (1_682, 943, 100_000),
    "ml-latest-small": (9_724, 610, 100_836),
    "ml-25m": (62_423, 162_541, 25_000_095),
    "ml-32m": (87_585, 200_948, 32_000_204),
}


@dataclass(frozen=True)
class Sizes:
    """Rows of the catalogue."""

    items: int
    users: int
    ratings: int

    @classmethod
    def of(cls, config: Config, project: Project) -> Sizes:
        """Count the catalogue if it is fetched, else take what is known of the source; EagleError for own files that
        are not fetched.
        """
        if project.catalogue_files.items.exists() and load_config(project.params).data == config.data:
            return cls.fetched(project.catalogue)
        if config.data.source not in KNOWN_SIZES:
            raise user_error(
                "the size of the catalogue is not known yet",
                mend="run `dvc repro fetch` first: it costs next to nothing",
            )
        items, users, ratings = KNOWN_SIZES[config.data.source]
        kept = min(1.0, config.data.max_ratings / ratings) if config.data.max_ratings else 1.0
        return cls(items, max(1, round(users * kept)), round(ratings * kept))

    @classmethod
    def fetched(cls, catalogue: Path) -> Sizes:
        """Count the rows of a catalogue's tables."""
        files = CatalogueFiles(catalogue)
        items, users, ratings = (pq.read_metadata(path).num_rows for path in (files.items, files.users, files.ratings))
        return cls(items, users, ratings)
