"""What every source has to hold."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from eagle.config import DataConfig
from eagle.data.catalogue import Catalogue
from eagle.data.sources.base import Source


class SourceContract:
    """Override the fixture ``source``, and ``data`` and ``root`` where it reads settings or files of a project."""

    @pytest.fixture
    def source(self) -> Source:
        raise NotImplementedError("override the fixture source: return your source")

    @pytest.fixture
    def data(self) -> DataConfig:
        return DataConfig()

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        return tmp_path

    @pytest.fixture
    def catalogue(self, source: Source, data: DataConfig, root: Path) -> Catalogue:
        read = source.read(data, root)
        assert isinstance(read, Catalogue), f"read should return a Catalogue, got {type(read).__name__}"
        return read

    def test_it_is_made_without_arguments(self, source: Source) -> None:
        assert isinstance(type(source)(), Source), "data.source makes the class without arguments and calls read"

    def test_the_tables_have_their_columns(self, catalogue: Catalogue) -> None:
        wanted = {
            "ratings": ["user", "item", "rating", "timestamp"],
            "items": ["item", "title", "text", "genres", "year"],
            "users": ["user"],
        }
        for name, columns in wanted.items():
            table = getattr(catalogue, name)
            missing = [column for column in columns if column not in table]
            assert not missing, f"{name} lacks {missing}; make_catalogue adds what is optional"
            assert len(table), f"{name} has no rows"

    def test_ids_are_text_and_unique(self, catalogue: Catalogue) -> None:
        for name, column in (("items", "item"), ("users", "user")):
            ids = getattr(catalogue, name)[column]
            assert pd.api.types.is_string_dtype(ids), f"ids of {name} should be text (make_catalogue sees to it)"
            assert not ids.isna().any(), f"{int(ids.isna().sum())} rows of {name} have no id"
            repeated = ids[ids.duplicated()].unique()[:3].tolist()
            assert not repeated, f"ids of {name} stand in several rows: {repeated}"

    def test_ratings_are_of_known_users_and_items_each_pair_once(self, catalogue: Catalogue) -> None:
        ratings = catalogue.ratings
        for column, table in (("item", catalogue.items), ("user", catalogue.users)):
            unknown = ratings.loc[~ratings[column].isin(table[column]), column].unique()[:3].tolist()
            assert not unknown, f"ratings name a {column} that the {column}s table lacks: {unknown}"
        twice = ratings[ratings.duplicated(["user", "item"])][["user", "item"]].head(3).to_numpy().tolist()
        assert not twice, f"a user has rated an item more than once: {twice}"

    def test_ratings_are_within_the_scale(self, catalogue: Catalogue) -> None:
        low, high = catalogue.source.rating_min, catalogue.source.rating_max
        assert low < high, f"the scale of the provenance is empty: {low:g} to {high:g}"
        outside = catalogue.ratings.loc[~catalogue.ratings["rating"].between(low, high), "rating"]
        assert outside.empty, f"{len(outside)} ratings are not within {low:g} to {high:g}: {outside.head(3).tolist()}"

    def test_items_have_titles_and_lists_of_categories(self, catalogue: Catalogue) -> None:
        items = catalogue.items
        assert items["title"].notna().all(), "an item has no title"
        no_list = [value for value in items["genres"] if not isinstance(value, list)][:3]
        assert not no_list, f"genres should be a list for every item, empty where there are none; got {no_list}"
        empty = items["text"].fillna("?").str.strip() == ""
        assert not empty.any(), "an item without a text should have a missing text, not an empty one"

    def test_it_says_where_its_data_came_from(self, catalogue: Catalogue) -> None:
        assert catalogue.source.name, "the provenance has no name"
        assert catalogue.source.files, "the provenance should name each file that was read, with its SHA-256"

    def test_reading_twice_gives_the_same(self, source: Source, data: DataConfig, root: Path) -> None:
        one, other = source.read(data, root), source.read(data, root)
        for name in ("ratings", "items", "users"):
            same = getattr(one, name).equals(getattr(other, name))
            assert same, f"{name} differ when read again: draw nothing without a fixed seed"
