"""The sections about data: where it comes from, and what is held out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from eagle.built_in.sources import SOURCES
from eagle.config.base import Count, Fraction, Natural, Section
from eagle.config.kinds import DomainKind, SourceKind


def _known_encoding(name: str) -> str:
    try:
        "a".encode(name)
    except (LookupError, UnicodeError):
        raise ValueError(
            f"Python knows no encoding named {name!r}; cp1252, cp1251 and gb18030 are such names"
        ) from None
    return name


TextEncoding = Annotated[str, AfterValidator(_known_encoding)]


class FileColumns(Section):
    """Column names in the user's own files; None where there is no such column."""

    user: str = Field("user", description="ratings: who rated")
    rated_item: str = Field("item", description="ratings: what was rated")
    rating: str = Field("rating", description="ratings: how high")
    timestamp: str | None = Field(
        None, description="ratings: when, seconds or milliseconds since 1970, or dates in one writing"
    )
    item: str = Field("item", description="items (and texts): its id")
    title: str = Field("title", description="items: its title; a trailing '(1999)' is read as the year")
    text: str | None = Field(None, description="items or texts: plot or description")
    genres: str | None = Field(None, description="items: genres in one text column")
    year: str | None = Field(None, description="items: year; without it the title's '(1999)' is used")


class OwnFiles(Section):
    """The user's own catalogue (data.source: files), CSV or Parquet by file ending."""

    ratings: str | None = Field(None, description="path of the ratings file")
    items: str | None = Field(None, description="path of the items file")
    texts: str | None = Field(None, description="optional path of a file with the items' texts, joined by item id")
    genre_separator: str = Field("|", description="what separates genres in their column")
    day_first: bool | None = Field(
        None, description="dates as 03/04/2019: is the day first? null sees it where a day is above 12"
    )
    separator: str | None = Field(
        None, min_length=1, description="what separates cells in CSV files; null sees it in each file's first lines"
    )
    encoding: TextEncoding | None = Field(
        None,
        description="how CSV files are encoded that are neither UTF-8 nor marked as UTF-16 (cp1252, cp1251, gb18030, "
        "shift_jis); null refuses them with what is likely",
    )
    columns: FileColumns = Field(FileColumns(), description="how the columns are named")


class DataConfig(Section):
    source: SourceKind = Field(
        "movielens-100k",
        description="where ratings and items come from; the first and clothing need no account and no hub",
    )
    noun: str = Field("film", description="what an item is called in prompts (film, book, garment)")
    files: OwnFiles = Field(OwnFiles(), description="used when source is 'files'")
    archive_url: str | None = Field(
        None, description="another address of an official archive (a mirror); null takes GroupLens' own"
    )
    rating_min: float | None = Field(None, description="lowest legal rating; null takes the source's own scale, or 0.5")
    rating_max: float | None = Field(None, description="highest legal rating; null takes the source's own scale, or 5")
    not_rated: tuple[float, ...] = Field(
        (), description="numbers that mean 'not rated', such as [0] or [99]: their rows are left out, and counted"
    )
    duplicates: Literal["error", "latest"] = Field(
        "error",
        description="a user rated an item more than once: stop and say how often, or keep the latest (without times: "
        "the last in the file)",
    )
    unknown_items: Literal["error", "drop"] = Field(
        "error", description="ratings of items that the items table lacks: stop and say why, or leave them out"
    )
    never_rated: Literal["keep", "drop"] = Field(
        "keep", description="items that nobody rated: they exist, so they are neighbours in novelty, or left out"
    )
    categories: bool = Field(
        True,
        description="do items have categories (genres)? false: texts have one field, and categories that the source "
        "has are left out; own files have none without data.files.columns.genres",
    )
    max_categories: Count = Field(
        100,
        description="most frequent categories (genres) kept [O: memory of the encoder's fit grows with their square; "
        "413 took 1.5 GB]",
    )
    min_ratings_per_user: Count = Field(10, description="users with fewer are left out [O: too few to split]")
    min_ratings_per_item: Count = Field(1, description="items with fewer are left out")
    max_ratings: Natural = Field(
        0,
        description="keep at most this many ratings, by whole users drawn at random; 0 keeps all [O: laptops and "
        "ml-25m]",
    )

    @property
    def item_noun(self) -> str:
        """What an item is called: ``noun``, or where that is left as it is, the noun of a built-in source."""
        source = SOURCES.get(self.source)
        unsaid = self.noun == type(self).model_fields["noun"].default
        return source.noun if unsaid and source and source.noun else self.noun

    @property
    def has_categories(self) -> bool:
        """Whether the catalogue's items have categories."""
        return self.categories and not (self.source == "files" and self.files.columns.genres is None)


class DomainConfig(Section):
    """What the catalogue is about; texts of own words need kind plain or a domain of your own."""

    kind: DomainKind | None = Field(
        "auto",
        description="what decides prompts, actions and profiles; auto chooses by the noun, and plain for any that is "
        "not a film's or a garment's",
    )
    noun: str | None = Field(None, description="what an item is called in prompts; null takes data.noun")
    labels: str | None = Field(
        None, description="kind plain: what the categories are called in a text; null says Categories"
    )
    body: str | None = Field(
        None, description="kind plain: what the rest of a text is called in it; null says Description"
    )
    actions: dict[str, tuple[str, ...]] = Field(
        {}, description="kind plain: your own actions by category of action; none takes neutral ones"
    )
    examples: tuple[tuple[str, str, str], ...] = Field(
        (),
        description="kind plain: your own examples of a change, each [text, change, changed text], texts with both "
        "fields; none takes neutral ones",
    )


class SplitConfig(Section):
    test_items: Fraction = Field(
        0.2, description="share of items that only evaluation sees [M: 60/20/20 in a prototype]"
    )
    validation_items: Fraction = Field(0.2, description="share of items for choosing settings [M]")
    test_users: Fraction = Field(0.15, description="share of users that only evaluation sees [O]")
    validation_users: Fraction = Field(0.1, description="share of users for choosing settings [O]")
    panel_ratings: Fraction = Field(
        0.4,
        description="share of every user's ratings that only the judging panel learns from [O: nothing shared with "
        "the reward]",
    )
    holdout_ratings: Fraction = Field(0.1, description="share of the rest kept to measure warm RMSE [O]")
