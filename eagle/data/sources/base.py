"""Where a catalogue comes from: the seam of the stage ``fetch``."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from eagle.built_in.sources import SOURCES
from eagle.config import DataConfig
from eagle.core.errors import user_error
from eagle.core.parts import load_part
from eagle.data.catalogue import Catalogue


@runtime_checkable
class Source(Protocol):
    """Reads a catalogue; its class is made without arguments."""

    def read(self, data: DataConfig, root: Path) -> Catalogue:
        """Return all ratings, items and users.

        ``data`` is the section of params.yaml, ``root`` the project's folder, from which relative paths start. Filters
        and the rating scale of ``data`` are applied afterwards. Downloads go to
        :func:`eagle.data.sources.packages.cache_folder`. Raises EagleError with all that is wrong with the user's data.
        """
        ...


def open_source(kind: str) -> Source:
    """Return the source that ``data.source`` names; EagleError where there is none."""
    found = load_part("source", kind, SOURCES)()
    if not isinstance(found, Source):
        raise user_error(
            f"{kind} is no source",
            found=f"{type(found).__name__} without read",
            expected="a class with the method read(self, data, root)",
            mend="return eagle.data.catalogue.make_catalogue(ratings, items, provenance) there",
        )
    return found


def read_source(data: DataConfig, root: Path) -> Catalogue:
    """Return what ``data.source`` reads; EagleError where that is no catalogue."""
    catalogue = open_source(data.source).read(data, root)
    if not isinstance(catalogue, Catalogue):
        raise user_error(
            f"{data.source} reads no catalogue",
            found=type(catalogue).__name__,
            expected="eagle.data.catalogue.Catalogue",
            mend="return make_catalogue(ratings, items, provenance)",
        )
    return catalogue
