"""What is done with a source's ratings and items before any filter: settled as the parameters say, or refused.

All that is wrong is told at once, with the user's own lines where the source has them.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from eagle.config import DataConfig
from eagle.core.errors import Problem
from eagle.data.catalogue import Catalogue, Provenance
from eagle.data.columns.categories import keep_frequent, unlike_each_other
from eagle.data.columns.codes import Suspect, slips, slips_in_words, suspects, without
from eagle.data.columns.findings import Findings
from eagle.data.columns.joining import unjoined
from eagle.data.columns.rows import NAMED_ROWS, number_of, place, share
from eagle.data.columns.scale import constant_users, nothing_to_learn
from eagle.data.repeated import once, shown

SWAPPED = 0.5
"""Share of ratings whose user is an item, where no rated item is one, from which the two columns are swapped [ours]."""
CONSTANT = 0.05
"""Share of users with one rating for everything from which they are mentioned [ours]."""


def settle(catalogue: Catalogue, data: DataConfig) -> Catalogue:
    """Return the catalogue without codes for "not rated", ratings of unknown items, repeated pairs and rare categories,
    each as ``data`` says.

    Raises one :class:`~eagle.core.errors.EagleError` with everything that ``data`` does not allow.
    """
    found = Findings(remarks=list(catalogue.remarks))
    catalogue = _with_categories_as_said(catalogue, data, found)
    ratings, said = without(catalogue.ratings, data.not_rated)
    found.remarks += said
    _whole_rows(ratings, catalogue.items, data, found)
    ratings = _of_known_items(ratings, catalogue.items, data, found)
    ratings = once(ratings, data, found)
    _on_scale(ratings, catalogue.source, data, found)
    found.add(nothing_to_learn(ratings))
    found.add(_nothing_said(catalogue.items, data))
    found.require()
    several, constant = constant_users(ratings)
    if constant > CONSTANT * several:
        found.remarks.append(
            f"{number_of(constant, 'user')} of {several:,} ({share(constant, several)}) gave one rating to everything: "
            "nothing is learned from them about what they prefer"
        )
    genres, said = keep_frequent(catalogue.items["genres"].tolist(), data.max_categories)
    unlike = unlike_each_other(catalogue.items["genres"].tolist())
    found.remarks += [*said, *([unlike] if unlike else [])]
    items = (
        catalogue.items.assign(genres=pd.Series(genres, catalogue.items.index, dtype=object))
        if said
        else catalogue.items
    )
    return replace(catalogue, ratings=ratings, items=items, remarks=tuple(found.remarks))


def _nothing_said(items: pd.DataFrame, data: DataConfig) -> Problem | None:
    """Items of which only the title is known cannot be told apart; a column that names no category is none."""
    if any(len(genres) for genres in items["genres"]) or items.empty:
        return None
    if not any(isinstance(text, str) and text.strip() for text in items["text"]):
        return Problem(
            "the catalogue has neither texts nor categories",
            found="titles only",
            expected="a text, categories (genres) or both for most items",
            mend="name the column of texts in data.files.columns.text (of the items file, or of one in "
            "data.files.texts), or that of categories in data.files.columns.genres",
        )
    if not data.has_categories:
        return None
    files = data.source == "files"
    return Problem(
        "no item has a category",
        found=f"nothing but empty cells in the column {data.files.columns.genres}"
        if files
        else f"an empty list of genres for every item that {data.source} reads",
        expected=f"categories (genres), or {'no column for them' if files else 'data.categories: false'}",
        mend=f"set {'data.files.columns.genres to null' if files else 'data.categories to false'}; EAGLE then works "
        "with the words of the texts",
    )


def _with_categories_as_said(catalogue: Catalogue, data: DataConfig, found: Findings) -> Catalogue:
    """Leave out the categories of a source where ``data`` says that items have none."""
    genres = catalogue.items["genres"]
    if data.has_categories or not (given := int(genres.map(len).gt(0).sum())):
        return catalogue
    found.remarks.append(f"the categories of {number_of(given, 'item')} left out (data.categories: false)")
    none: list[list[str]] = [[] for _ in genres]
    return replace(catalogue, items=catalogue.items.assign(genres=pd.Series(none, genres.index, dtype=object)))


def _whole_rows(ratings: pd.DataFrame, items: pd.DataFrame, data: DataConfig, found: Findings) -> None:
    repeated = items["item"].duplicated(keep=False) & items["item"].notna()
    told, join = _told_apart(items[repeated])
    if data.source == "files" and data.files.items == data.files.ratings:  # dropping rows would drop ratings
        one = f"table.drop_duplicates({data.files.columns.item!r})"
        join = f"ratings and items are one file: write its items into a file of their own, {one}.to_csv(...)"
    for wrong, what, expected, mend in (
        (
            ratings[ratings["rating"].isna()],
            "ratings: a rating is missing",
            "a number in every row",
            "leave these rows out",
        ),
        (items[repeated], f"items: an item id stands in several rows{told}", "each id once", join),
        (
            items[items["title"].isna()],
            "items: an item has no title",
            "a title in every row",
            "give these items a title",
        ),
    ):
        if len(wrong):
            rows = "; ".join(
                f"{place(label, wrong.index)} (item {item})" for label, item in wrong["item"].head(NAMED_ROWS).items()
            )
            more = f"; and {len(wrong) - NAMED_ROWS:,} more" if len(wrong) > NAMED_ROWS else ""
            found.add(Problem(what, f"{number_of(len(wrong), 'row')}: {rows}{more}", expected, mend))


def _told_apart(rows: pd.DataFrame) -> tuple[str, str]:
    """Return in which columns rows of one item differ, and how they become one."""
    if rows.empty:
        return "", ""
    cells = rows.assign(genres=rows["genres"].map(tuple))
    differ = [
        name for name in cells.columns.drop("item") if (cells.groupby("item")[name].nunique(dropna=False) > 1).any()
    ]
    if not differ:
        return ", which are alike", "keep one row of each item: table.drop_duplicates(...) of pandas does so"
    if differ == ["genres"]:
        return ", which differ in their categories alone", "write all categories of an item into one row"
    return f", which differ in {', '.join(differ)}", "keep one row of each item"


def _of_known_items(ratings: pd.DataFrame, items: pd.DataFrame, data: DataConfig, found: Findings) -> pd.DataFrame:
    unknown = ~ratings["item"].isin(items["item"]) & ratings["item"].notna()
    if not unknown.any():
        return ratings
    missing, rated = set(ratings.loc[unknown, "item"]), set(ratings["item"].dropna())
    names = (data.files.ratings or "ratings", data.files.items or "items")
    there = set(items["item"].dropna())
    said = unjoined(missing, there - rated, names, there & rated)
    if unknown.all() and ratings["user"].isin(items["item"]).mean() > SWAPPED:
        said += "; but its users are items: data.files.columns.user and data.files.columns.rated_item seem swapped"
    if data.unknown_items == "error" or unknown.all():
        found.add(
            Problem(
                "ratings: a rated item is not in the items table"
                if not unknown.all()
                else "ratings: no rated item is in the items table",
                found=f"{len(missing):,} of {number_of(len(rated), 'rated item')}, {int(unknown.sum()):,} of "
                f"{number_of(len(ratings), 'rating')}: {said}",
                expected="every rated item, its id written alike in both tables",
                mend="write ids alike or complete the items table"
                + ("" if unknown.all() else ", or set data.unknown_items: drop to leave these ratings out"),
            )
        )
        return ratings[~unknown] if not unknown.all() else ratings
    found.remarks.append(
        f"{number_of(int(unknown.sum()), 'rating')} of {number_of(len(missing), 'item')} left out that the items table "
        f"lacks (data.unknown_items: drop): {said}"
    )
    return ratings[~unknown]


def _on_scale(ratings: pd.DataFrame, source: Provenance, data: DataConfig, found: Findings) -> None:
    low, high = source.rating_min, source.rating_max
    codes = [code for code in suspects(ratings["rating"]) if code.value not in data.not_rated]
    outside = ratings[~ratings["rating"].between(low, high) & ratings["rating"].notna()]
    if outside.empty:
        found.remarks += [f"{code}; {code.mend}" for code in codes]
        far = slips(ratings["rating"])
        if len(far):
            others = ratings["rating"].drop(far.index)
            found.remarks.append(f"{slips_in_words(far, others)}; are they ratings of the same scale?")
        return
    told = data.rating_min is not None or data.rating_max is not None
    found.add(
        Problem(
            "ratings: a rating is out of range",
            found=f"{number_of(len(outside), 'rating')} of {len(ratings):,} ({share(len(outside), len(ratings))})"
            f"\n    {shown(outside)}",
            expected=f"{low:g} to {high:g}"
            + ("" if told else ", since neither data.rating_min nor data.rating_max is set"),
            mend=_scale_mend(ratings, codes),
        )
    )


def _scale_mend(ratings: pd.DataFrame, codes: list[Suspect]) -> str:
    """Suspected codes come before any advice to widen the scale, and do not widen it."""
    rest = ratings.loc[~ratings["rating"].isin([code.value for code in codes]), "rating"]
    rest = rest.drop(slips(rest).index)
    widen = (
        f"set data.rating_min and data.rating_max to the source's own scale (these ratings go from {rest.min():g} to "
        f"{rest.max():g}), or mend these rows"
    )
    return "; ".join([*(f"{code}; {code.mend}" for code in codes), f"then {widen}" if codes else widen])
