"""The user's own tables, once they are read, as a catalogue: what their cells mean, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from eagle.config import OwnFiles
from eagle.core.errors import Problem
from eagle.data.catalogue import Catalogue, Provenance, make_catalogue
from eagle.data.columns.categories import genre_list
from eagle.data.columns.findings import Findings
from eagle.data.columns.ids import as_ids, counted_words, id_problems, words_for_titles
from eagle.data.columns.joining import cause, twins, unjoined
from eagle.data.columns.missing import missing_words
from eagle.data.columns.prose import plain
from eagle.data.columns.rows import share
from eagle.data.columns.scale import not_numbers, numbers
from eagle.data.columns.separated import wrong_separator
from eagle.data.columns.spelled import cut_short, not_single
from eagle.data.columns.texts import read_texts
from eagle.data.columns.times import improbable, read_times
from eagle.data.columns.titles import split_year, upright
from eagle.data.columns.years import read_years

OLDEST, LATEST = -3000, 2100
"""Years that an item of any kind may have."""
FEW = 0.5
"""Share of the texts that have to belong to items of the items file, before a cause is looked for [ours]."""


def own_catalogue(files: OwnFiles, tables: Mapping[str, pd.DataFrame], source: Provenance) -> Catalogue:
    """Return the catalogue of ``tables`` (ratings, items and, where there are any, texts), named as ``files`` says.

    Its ratings and items keep the index of the files. Raises one :class:`~eagle.core.errors.EagleError` with all that
    is wrong in their cells.
    """
    found = Findings()
    ratings = _ratings(files, tables["ratings"], found)
    items = _items(files, tables, found)
    found.require()
    made = make_catalogue(ratings, items, source)
    return replace(
        made,
        ratings=made.ratings.set_axis(tables["ratings"].index),
        items=made.items.set_axis(tables["items"].index),
        remarks=tuple(found.remarks),
    )


def _ratings(files: OwnFiles, table: pd.DataFrame, found: Findings) -> pd.DataFrame:
    columns, name = files.columns, str(files.ratings)
    found.add(*id_problems(name, table[columns.user]), *id_problems(name, table[columns.rated_item]))
    found.remarks += twins(name, table[columns.user])
    found.add(not_single(name, table[columns.rating]) or not_numbers(name, table[columns.rating]))
    ratings = pd.DataFrame(
        {
            "user": table[columns.user],
            "item": table[columns.rated_item],
            "rating": numbers(table[columns.rating]),
        }
    )
    if columns.timestamp is None:
        return ratings
    times = read_times(name, table[columns.timestamp], files.day_first)
    found.add(times.problem)
    found.remarks += (*times.remarks, *improbable(name, table[columns.timestamp], times.seconds))
    return ratings.assign(timestamp=times.seconds)


def _items(files: OwnFiles, tables: Mapping[str, pd.DataFrame], found: Findings) -> pd.DataFrame:
    columns, table, name = files.columns, tables["items"], str(files.items)
    found.add(*id_problems(name, table[columns.item]))
    found.add(not_single(name, table[columns.title]) or words_for_titles(name, table[columns.title]))
    ids = as_ids(table[columns.item])
    found.remarks += twins(name, table[columns.item])
    titles, year = _titles(table[columns.title])
    if columns.year:
        year, said = read_years(name, table[columns.year], OLDEST, LATEST)
        found.remarks += said
    if columns.genres:
        found.add(
            cut_short(name, table[columns.genres])
            or wrong_separator(name, table[columns.genres], files.genre_separator)
        )
    genres = (
        _genres(name, table[columns.genres], found) if columns.genres else pd.Series(None, table.index, dtype=object)
    )
    return pd.DataFrame(
        {
            "item": ids,
            "title": titles,
            "text": _texts(files, tables, ids, found),
            "genres": [genre_list(value, files.genre_separator) for value in genres],
            "year": year,
        }
    )


def _genres(name: str, column: pd.Series, found: Findings) -> pd.Series:
    """Return the cells of categories without those that hold nothing but a word for a missing value."""
    words = missing_words(column)
    if words.any():
        found.remarks.append(
            f"{name}: words for missing categories in column {column.name!r} count as none: "
            f"{counted_words(column[words])}"
        )
    return column.mask(words) if words.any() else column


def _titles(column: pd.Series) -> tuple[list[str | None], pd.Series]:
    """Return titles on one line without their trailing year, and these years."""
    cells = [plain(title) if isinstance(title, str) else None for title in column.astype("string")]
    parts = [split_year(title) if title else (None, None) for title in cells]
    titles = [None if title is None else upright(title) for title, _ in parts]
    return titles, pd.Series([year for _, year in parts], index=column.index, dtype="Int64")


def _texts(files: OwnFiles, tables: Mapping[str, pd.DataFrame], ids: pd.Series, found: Findings) -> pd.Series:
    """Return every item's text on one line, without tags and entities; missing where it has none."""
    columns, table = files.columns, tables["items"]
    if "texts" in tables:
        text = _joined(files, tables["texts"], ids, found)
    else:
        text = table[columns.text] if columns.text else pd.Series(pd.NA, index=table.index, dtype="string")
    read = read_texts(str(files.texts or files.items), text)
    found.add(read.problem)
    found.remarks += read.remarks
    return read.texts


def _joined(files: OwnFiles, texts: pd.DataFrame, ids: pd.Series, found: Findings) -> pd.Series:
    """Return the text of each of the items' ``ids``."""
    name, column = str(files.texts), texts[files.columns.item]
    keys = as_ids(column)
    found.add(*id_problems(name, column), _repeated(name, keys))
    told = set(keys[texts[str(files.columns.text)].notna()].dropna())
    there = set(ids.dropna())
    missing, matched = told - there, told & there
    if missing and len(matched) < FEW * len(told):
        said = unjoined(missing, there - told, (name, str(files.items)))
        if not matched or cause(missing, there - told):
            found.add(
                Problem(
                    f"{name} has texts of {'no item' if not matched else 'few items'} of {files.items}",
                    found=f"{len(matched):,} of {len(told):,} ids match; {said}",
                    expected=f"ids written as in {files.items}",
                    mend="write ids alike in both files, or leave data.files.texts out",
                )
            )
        else:
            found.remarks.append(
                f"only {len(matched):,} of the {len(told):,} ids of {name} ({share(len(matched), len(told))}) are "
                f"items: {said}"
            )
    first = texts.assign(key=keys).dropna(subset=["key"]).drop_duplicates("key").set_index("key")
    return ids.map(first[str(files.columns.text)])


def _repeated(name: str, keys: pd.Series) -> Problem | None:
    repeated = keys[keys.duplicated() & keys.notna()]
    if repeated.empty:
        return None
    return Problem(
        f"{name} has several texts for one item",
        found=f"{repeated.nunique()} items: {', '.join(repeated.unique()[:10])}",
        expected="one row per item",
        mend="keep one text of each item, or join its texts into one; reviews by several people do not describe it",
    )
