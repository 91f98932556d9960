"""What is unusual about a catalogue, in sentences: what a reader would not expect, and what will stay unknown."""

from __future__ import annotations

import re

import pandas as pd

from eagle.data.catalogue import Catalogue
from eagle.data.columns.prose import in_another_encoding, misread
from eagle.data.columns.rows import cut, number_of

NOT_ENGLISH = 0.1
"""Share of texts that are not English from which it is said that the models know English only [ours]."""
SPARSE = 0.3
"""Share of items without a text below which a text is nothing unusual [ours]."""
DENSE = 0.5
"""Share of all pairs of user and item with a rating from which popularity hardly tells items apart [ours]."""
SHARED = 0.05
"""Share of the items with a text or title that another has too from which it is said [ours]."""
COUNTS = 20
"""Different ratings that a count has at least [ours]."""
CROWDED = 0.05
"""Share of the scale, from its lowest end, in which half of the ratings lie if they count plays or clicks [ours]."""
JUDGED, FEW = 10, 30
"""Ratings from which about five of a user's are hidden from all learning, and users with so many [ours]."""


_SPELLED = re.compile(r"\\(?:[nrt](?=[A-Z\\\s]|$)|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})|%(?:20|C3|E2)(?=[\w%])")
"""Line breaks and letters as programs spell them, blanks as addresses do."""
_WEIGHED = re.compile(r".*\S\s*(?:\(\d+(?:\s\d+)?%?\)|:\s?\d+(?:\s\d+)?)")
"""A category with a weight behind it, ``rock (100)``; dots have become blanks."""


def filled(kept: Catalogue) -> float:
    """Return the share of all pairs of user and item that have a rating."""
    return len(kept.ratings) / max(kept.ratings["user"].nunique() * kept.ratings["item"].nunique(), 1)


def unusual(kept: Catalogue, texts: pd.Series, language: dict[str, float]) -> list[str]:
    """Return one sentence for each unusual thing; ``texts`` are those that there are, ``language`` their shares."""
    return [
        *_of_ratings(kept),
        *_of_texts(kept, texts, language),
        *_of_categories(kept.items),
        *_of_words(kept.items),
    ]


def _of_ratings(kept: Catalogue) -> list[str]:
    found, ratings, source = [], kept.ratings["rating"], kept.source
    if ratings.max() - ratings.min() < (source.rating_max - source.rating_min) / 2:
        found.append(
            f"ratings go from {ratings.min():g} to {ratings.max():g} on a scale of {source.rating_min:g} to "
            f"{source.rating_max:g}: see data.rating_min and data.rating_max"
        )
    span = source.rating_max - source.rating_min
    if len(ratings) and ratings.median() - source.rating_min < CROWDED * span and ratings.nunique() > COUNTS:
        found.append(
            f"half of the ratings go from {ratings.min():g} to {ratings.median():g} on a scale up to "
            f"{source.rating_max:g}, as counts of plays or clicks do: on such a scale they hardly differ; their "
            "logarithms do"
        )
    if filled(kept) > DENSE:
        found.append(
            f"{100 * filled(kept):.0f}% of all pairs of user and item are rated, so how often an item was rated says "
            "little: an encoder that beats popularity has not shown much by that"
        )
    active = int((kept.ratings["user"].value_counts() >= JUDGED).sum())
    if active < FEW:
        found.append(
            f"{number_of(active, 'user')} with {JUDGED} ratings or more: who gave fewer has hardly five that are "
            "hidden from all learning, which it takes to judge texts by real ratings, so models alone may judge them"
        )
    return found


def _of_texts(kept: Catalogue, texts: pd.Series, language: dict[str, float]) -> list[str]:
    found = []
    other = 1 - language.get("English", 0.0) if language else 0.0
    if other >= NOT_ENGLISH:
        found.append(
            f"{100 * other:.0f}% of the texts whose language can be told are not English, and the embedded text model "
            "knows English only: it will hardly tell these texts apart"
        )
    if len(kept.items) and len(texts) < SPARSE * len(kept.items):
        found.append(
            f"{number_of(len(kept.items) - len(texts), 'item')} without a text: the encoder knows them by categories "
            "and years alone (describe.write_at_most lets the language model write some)"
        )
    return found


def _of_categories(items: pd.DataFrame) -> list[str]:
    names = set(items["genres"].explode().dropna()) if "genres" in items else set()
    weighed = sorted(name for name in names if _WEIGHED.fullmatch(name))
    if len(weighed) < 2 or len(weighed) < len(names) / 2:
        return []
    return [
        f"{len(weighed):,} of {len(names):,} categories end in a number, such as {cut(weighed[0])!r}: with a weight or "
        "count behind it each is a category of its own; leave the numbers out of the file"
    ]


def _of_words(items: pd.DataFrame) -> list[str]:
    """Return what is unusual about the words of titles and texts, item by item."""
    texts, titles = items["text"].dropna(), items["title"].dropna()
    spoilt = [text for text in (*titles, *texts) if misread(text)]
    same = items["text"].str.casefold() == items["title"].str.casefold()
    found = []
    if len(spoilt) > 1:
        found.append(
            f"{len(spoilt):,} titles and texts seem to be in UTF-8 that was once read as cp1252, such as "
            f"{cut(spoilt[0])!r}: write the file again from its origin"
        )
    every = (*titles, *texts)
    spelled = [text for text in every if _SPELLED.search(text)]
    if len(spelled) > 1:
        found.append(
            f"{len(spelled):,} titles and texts spell line breaks or letters as programs do (\\n, \\u00e9, %20), "
            f"such as {cut(spelled[0])!r}: they stay so; write the file again from its origin"
        )
    for odd, why in (
        ([text for text in every if in_another_encoding(text) and not misread(text)], "are read in another encoding"),
        ([text for text in every if "\ufffd" in text], "have lost letters, for which '\ufffd' stands"),
    ):
        if len(odd) > 1:
            found.append(
                f"{len(odd):,} titles and texts seem as if they {why}, such as {cut(odd[0])!r}: see "
                "data.files.encoding, or write the file again from its origin"
            )
    found += _shared(titles, "title", "users and reports cannot tell these items apart", len(items))
    found += _shared(texts, "text", "it tells these items no more apart than none would", len(items))
    if same.sum() >= SHARED * max(len(items), 1) and same.any():
        found.append(f"{number_of(int(same.sum()), 'item')} whose text is the title again")
    return found


def _shared(words: pd.Series, what: str, so: str, items: int) -> list[str]:
    counts = words.value_counts()
    shared = int(counts[counts > 1].sum())
    if not shared or shared < SHARED * items:
        return []
    often = f"{cut(str(counts.index[0]))!r} of {int(counts.iloc[0]):,}"
    return [f"{number_of(shared, 'item')} whose {what} another has too, word for word, such as {often}: {so}"]
