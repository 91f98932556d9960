"""The user's own tables, once they are read, as a catalogue: what their cells mean, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from eagle.config import OwnFiles
from eagle.core.errors import EagleError, Problem
from eagle.data.catalogue import Catalogue, Provenance, as_ids, make_catalogue
from eagle.data.categories import genre_list
from eagle.data.scale import not_numbers
from eagle.data.times import seconds, year_of
from eagle.data.titles import split_year, upright


def own_catalogue(files: OwnFiles, tables: Mapping[str, pd.DataFrame], source: Provenance) -> Catalogue:
    """Return the catalogue of ``tables`` (ratings, items and, where there are any, texts), named as ``files`` says.

    Raises one :class:`~eagle.core.errors.EagleError` with all that is wrong in their cells.
    """
    wrong = not_numbers(files.ratings, tables["ratings"][files.columns.rating])
    problems = [*([wrong] if wrong else []), *_repeated_texts(files, tables)]
    if problems:
        raise EagleError(problems)
    return make_catalogue(_ratings(files, tables["ratings"]), _items(files, tables), source)


def _repeated_texts(files: OwnFiles, tables: Mapping[str, pd.DataFrame]) -> list[Problem]:
    if "texts" not in tables:
        return []
    ids = as_ids(tables["texts"][files.columns.item])
    repeated = ids[ids.duplicated() & ids.notna()]
    if repeated.empty:
        return []
    named = ", ".join(repeated.unique()[:10])
    return [
        Problem(
            f"{files.texts} has several texts for one item",
            found=f"{repeated.nunique()} items: {named}",
            expected="one row per item",
        )
    ]


def _ratings(files: OwnFiles, table: pd.DataFrame) -> pd.DataFrame:
    columns = files.columns
    ratings = pd.DataFrame(
        {
            "user": table[columns.user],
            "item": table[columns.rated_item],
            "rating": pd.to_numeric(table[columns.rating]),
        }
    )
    return ratings.assign(timestamp=seconds(table[columns.timestamp])) if columns.timestamp else ratings


def _items(files: OwnFiles, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    columns, table = files.columns, tables["items"]
    ids = as_ids(table[columns.item])
    raw = table[columns.title].astype("string")
    parts = [split_year(title) if isinstance(title, str) else (None, None) for title in raw]
    titles = [None if title is None else upright(title) for title, _ in parts]
    year = (
        year_of(table[columns.year])
        if columns.year
        else pd.Series([y for _, y in parts], index=table.index, dtype="Int64")
    )
    genres = table[columns.genres] if columns.genres else pd.Series([None] * len(table), index=table.index)
    if "texts" in tables:
        texts = (
            tables["texts"].assign(key=as_ids(tables["texts"][columns.item])).dropna(subset=["key"]).set_index("key")
        )
        text = ids.map(texts[str(columns.text)])
    else:
        text = table[columns.text] if columns.text else pd.Series(pd.NA, index=table.index)
    text = text.astype("string").str.replace(r"\s+", " ", regex=True).str.strip()
    return pd.DataFrame(
        {
            "item": ids,
            "title": titles,
            "text": text.mask(text == ""),
            "genres": [genre_list(value, files.genre_separator) for value in genres],
            "year": year,
        }
    )
