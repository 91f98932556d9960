"""The built-in sources: each opens as a class that is made without arguments and reads a catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from eagle.core.parts import BuiltIn


@dataclass(frozen=True)
class BuiltInSource(BuiltIn):
    """A source, and what its items are called where ``data.noun`` is left as it is; None calls them films."""

    noun: str | None = None


SOURCES = {
    "movielens-100k": BuiltInSource("eagle.data.sources.movielens100k:MovieLens100K"),
    "ml-latest-small": BuiltInSource("eagle.data.sources.archives:OfficialArchive"),
    "ml-25m": BuiltInSource("eagle.data.sources.archives:OfficialArchive"),
    "ml-32m": BuiltInSource("eagle.data.sources.archives:OfficialArchive"),
    "clothing": BuiltInSource("eagle.data.sources.clothing:ClothingReviews", noun="garment"),
    "files": BuiltInSource("eagle.data.sources.own_files:UsersFiles"),
}
