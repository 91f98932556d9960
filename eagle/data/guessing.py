"""Which columns of the user's files hold what: guessed from their names and contents, for ``eagle init``."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from eagle.core.errors import EagleError, user_error
from eagle.data.columns.codes import slips, slips_in_words, suspects
from eagle.data.columns.scale import not_numbers, numbers
from eagle.data.columns.titles import split_year
from eagle.data.files.first_rows import first_rows
from eagle.data.files.shapes import matrix
from eagle.data.files.tables import read_any
from eagle.data.guessing_categories import in_several_columns, likely_separator
from eagle.data.pairing import Side, paired

_NAMES: Mapping[str, Sequence[str]] = {
    name: known.split()
    for name, known in {
        "user": "user userid uid username reviewer reviewerid customerid customer memberid member who person personid "
        "rater raterid accountid account profileid profilename visitorid",
        "rating": "rating ratings score stars overall userrating bookrating grade vote points "
        "recommended recommend isrecommended votedup liked myscore myrating",
        "timestamp": "timestamp datetime unixreviewtime ratedat createdat submitted date when time",
        "title": "title name booktitle movietitle itemtitle productname itemname gamename "
        "primary primaryname primarytitle originaltitle",
        "text": "text overview description plot summary synopsis blurb abstract",
        "genres": "genres genre categories category tags subjects topics boardgamecategory",
        "year": "year releaseyear yearpublished publicationyear yearofpublication released",
    }.items()
}
_ID = ("item", "itemid", "id", "movieid", "bookid", "gameid", "productid", "isbn", "asin", "itemno", "no")
_ALL_NAMES = frozenset({*_ID, *(name for names in _NAMES.values() for name in names)})
_OF_RATINGS = ("user", "rating", "timestamp")
_OF_ITEMS = ("title", "genres", "year")
_REQUIRED = ("user", "rated_item", "rating", "item", "title")
_LONG = 8  # words of half of the cells, from which a column holds texts
_YEARS = (1800, 2100)
_MOST = 0.9  # share of cells, from which a column is what its values look like
_HALF = 0.5
_NAMES_SAID = 8
_FEWEST = 5  # columns that are called as items are, from which they are items


@dataclass(frozen=True)
class Guess:
    """Values for the section ``data`` of params.yaml, and a word on each, by its key."""

    columns: dict[str, str]
    genre_separator: str
    rating_min: float | None
    rating_max: float | None
    notes: dict[str, str]


def guess(ratings: Path, items: Path, texts: Path | None = None, encoding: str | None = None) -> Guess:
    """Return what the columns of these files seem to be, by their names and else by their values.

    What is not seen is missing, and its note says so. Raises :class:`~eagle.core.errors.EagleError` where a file cannot
    be opened.
    """
    heads = {
        name: first_rows(path, encoding, _known_name, name == "ratings")
        for name, path in (("ratings", ratings), ("items", items), ("texts", texts))
        if path
    }
    rated, listed = heads["ratings"][0], heads["items"][0]
    told = heads["texts"][0] if texts else listed
    named = {name: _named(rated, _NAMES[name]) for name in _OF_RATINGS}
    named["rated_item"] = _named(rated, [name for name in _ID if name != "id"], _known(named))
    ours = {name: _named(listed, _NAMES[name]) for name in _OF_ITEMS} | {"item": _named(listed, _ID)}
    named |= ours | {"text": _named(told, _NAMES["text"])}
    _look_for_a_swap(rated, listed)
    _look_for_a_matrix(ratings, rated, listed)
    pair = {name: named[name] for name in ("rated_item", "item")}
    others = _known({name: named[name] for name in _OF_RATINGS})
    ids = [name for name in (*rated.columns, *listed.columns) if _plain(name).endswith(_ID)]
    sides = Side(ratings, rated, encoding), Side(items, listed, encoding)
    seen = named | (pair if ratings.resolve() == items.resolve() else paired(*sides, pair, others, ids))
    seen["user"] = named["user"] or _left_over(
        rated, _known({name: seen[name] for name in (*_OF_RATINGS, "rated_item")})
    )
    seen["year"] = named["year"] or _years(listed, _known(seen))
    seen["text"] = named["text"] or _longest(told, _known(seen))
    notes = {name: said for name, (_, said) in heads.items() if said} | {
        name: _note(name, named[name], seen[name], rated if name in (*_OF_RATINGS, "rated_item") else listed)
        for name in seen
    }
    if texts and seen["item"] and seen["item"] not in told.columns:
        notes["texts"] = f"has no column {seen['item']!r}: call the column of ids there as in the file of items"
    if not seen["year"] and _years_end(listed, seen["title"]):
        notes["year"] = "none is needed: the years that end the titles are read"
    if seen["genres"]:
        notes["genre_separator"] = "guessed from the values"
    elif several := in_several_columns(listed, _known(seen), lambda name: _plain(name) in _NAMES["genres"]):
        notes["genres"] = several
    low, high, more = _scale(ratings, seen["rating"], encoding)
    columns = {name: column for name, column in seen.items() if column}
    return Guess(columns, likely_separator(listed, seen["genres"]), low, high, notes | more)


def _known(columns: Mapping[str, str | None]) -> list[str]:
    return [column for column in columns.values() if column]


def _note(name: str, named: str | None, seen: str | None, table: pd.DataFrame) -> str:
    if seen:
        return "guessed from the header" if named == seen else "guessed from the values"
    if name not in _REQUIRED:
        return "none was seen: name the column, if there is one"
    more = ", ..." if len(table.columns) > _NAMES_SAID else ""
    return f"NOT FOUND among {', '.join(map(repr, table.columns[:_NAMES_SAID]))}{more}: name the column"


def _known_name(name: str) -> bool:
    """Tell whether a cell is what a column of ratings or items is called."""
    return _plain(name) in _ALL_NAMES


def _look_for_a_swap(rated: pd.DataFrame, listed: pd.DataFrame) -> None:
    """Raise where the columns of ratings stand in the file of items, and none of them in that of ratings."""
    people, scores, titles = (_NAMES[name] for name in ("user", "rating", "title"))
    there = [_named(listed, names) for names in (people, scores)]
    if all(there) and not any(_named(rated, names) for names in (people, scores)) and not _named(listed, titles):
        raise user_error(
            "the files of ratings and items seem swapped",
            found=f"the columns {' and '.join(map(repr, there))} in the file of items, and none like them in that of "
            "ratings",
            mend="name the file with a row for each rating as --ratings, and that with a row for each item as --items",
        )


def _look_for_a_matrix(path: Path, rated: pd.DataFrame, listed: pd.DataFrame) -> None:
    """Raise where nearly all columns of the ratings are called as items are, or have their ids for names."""
    names = set(rated.columns[1:])
    cells = (set(listed[column].dropna()) for column in listed.columns)
    if len(names) >= _FEWEST and any(len(names & values) >= _MOST * len(names) for values in cells):
        raise EagleError(matrix(str(path), list(rated.columns)))


def _left_over(rated: pd.DataFrame, known: Collection[str]) -> str | None:
    """Return the only column of the ratings that is nothing else, if its values come again, as people do."""
    left = [column for column in rated.columns if column not in known]
    return left[0] if len(left) == 1 and rated[left[0]].duplicated().any() else None


def _years_end(table: pd.DataFrame, title: str | None) -> bool:
    """Return whether most titles end in a year, as "Heat (1995)" does."""
    years = [split_year(each)[1] for each in table[title].dropna()] if title else []
    return sum(year is not None for year in years) > _HALF * max(len(years), 1)


def _plain(name: str) -> str:
    """Return a name's letters and digits alone, without a unit in brackets or a kind as RecBole writes it."""
    bare = re.sub(r"[(\[].*|:(?:token|float)(?:_seq)?$", "", str(name).lower(), flags=re.DOTALL)
    return re.sub(r"[^a-z0-9]", "", bare or str(name).lower())


def _named(table: pd.DataFrame, synonyms: Collection[str], taken: Collection[str] = ()) -> str | None:
    """Return the column with the first of the names, whatever its case and signs."""
    plain = {_plain(column): str(column) for column in reversed(table.columns) if column not in taken}
    return next((plain[name] for name in synonyms if name in plain), None)


def _years(table: pd.DataFrame, taken: Collection[str]) -> str | None:
    """Return the column whose cells are nearly all whole numbers within ``_YEARS``, and not one number only."""
    for name in table.columns.difference(list(taken), sort=False):
        cells = pd.to_numeric(table[name].replace("", pd.NA).dropna().astype(object), errors="coerce")
        fits = cells.between(*_YEARS) & (cells % 1 == 0)
        if len(cells) and fits.mean() >= _MOST and cells.nunique() > 1:
            return str(name)
    return None


def _longest(table: pd.DataFrame, taken: Collection[str]) -> str | None:
    """Return the column of the longest texts; None where half of them all are shorter than ``_LONG`` words."""
    words = {
        str(name): float(table[name].dropna().str.count(r"\S+").median())
        for name in table.columns.difference(list(taken), sort=False)
        if table[name].notna().any()
    }
    best = max(words, key=lambda name: words[name], default=None)
    return best if best and words[best] >= _LONG else None


def _scale(path: Path, column: str | None, encoding: str | None) -> tuple[float | None, float | None, dict[str, str]]:
    """Return the lowest and highest of all ratings but for codes of "not rated" and slips, and what to say of them."""
    ends = ("rating_min", "rating_max")
    if not column:
        return None, None, dict.fromkeys(ends, "not seen: write it")
    read = read_any(path, {"rating": column}, numbers=[column], encoding=encoding).table[column].dropna()
    if read.empty or not_numbers(path, read):
        why = "there is no rating" if read.empty else f"not all of {column!r} are numbers"
        return None, None, dict.fromkeys(ends, f"not seen, since {why}: write it")
    values = numbers(read)
    odd = suspects(values)
    values = values[~values.isin([one.value for one in odd])]
    far = slips(values)
    values = values.drop(far.index)
    low, high = float(values.min()), float(values.max())
    notes = dict.fromkeys(ends, "guessed from the values")
    for one in odd:
        end = "rating_min" if one.value < low else "rating_max"
        notes[end] = f"guessed without {one.value:g}: see not_rated"
        said = f"{one}; {one.mend}; if it is a rating, set {end}: {one.value:g}"
        notes["not_rated"] = f"{notes['not_rated']}; {said}" if "not_rated" in notes else said
    for end, rows in (("rating_min", far[far < low]), ("rating_max", far[far > high])):
        if len(rows):
            notes[end] = f"{slips_in_words(rows, values)}; not counted here: mend them, or write the scale's own end"
    return low, high, notes
