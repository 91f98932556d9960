"""What tells a catalogue's items apart in words: its categories, or else the typical words of its texts.

A category that all items share, or the only one there is, says nothing of a taste. Then content words stand in its
place, so that profiles and actions still speak of what the catalogue has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

LEAST_ITEMS, LEAST_SHARE = 10, 0.02  # items a word needs, whichever is more: fewer are noise, or a name [O]
MOST_SHARE = 0.5  # a word in more texts than this is how all of them talk [O]
MOST_WORDS = 40  # as many labels as a large catalogue of films has, twice [O]
_CONTENT = r"(?u)\b[^\W\d_]{3,}\b"
AS_NAME = 0.15
"""Share of its places in which a word has to stand as the name of a thing does [O: adjectives stand between]."""
FEWEST_NAMES = 6
"""Names of things that suffice for profiles and actions [O]."""
_TOKEN = re.compile(r"\w+|[^\w\s]")
_BEFORE = {
    *("a", "an", "the", "this", "that", "these", "those", "his", "her", "its", "their", "our", "your", "some", "any"),
    *("every", "one", "two", "three", "four", "five", "several", "many"),
    *("of", "in", "on", "with", "into", "between", "under", "over"),
}


def telling_genres(items: pd.DataFrame) -> list[str]:
    """Return the genres of the items, most frequent first, ties by name; none where they tell no two items apart."""
    counts = Counter(genre for genres in items["genres"] for genre in set(genres))
    apart = len(counts) > 1 and any(count < len(items) for count in counts.values())
    return sorted(counts, key=lambda genre: (-counts[genre], genre)) if apart else []


def word_table(items: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    """Return the typical words of the items' plots, most frequent first, and which item has which: (n_items, n_words).

    A small catalogue, in which too few words are in LEAST_ITEMS texts, takes those of two. Names of things go before
    verbs and adjectives, which make no sentence of "Make ... its main theme."; other languages than English keep all.
    """
    plots = items["plot"].fillna("").tolist()
    if not any(plots):
        return [], np.zeros((len(items), 0), bool)
    counter = CountVectorizer(stop_words="english", token_pattern=_CONTENT, binary=True)
    try:
        counts = counter.fit_transform(plots).tocsc()
    except ValueError:  # no text has a content word
        return [], np.zeros((len(items), 0), bool)
    names = counter.get_feature_names_out()
    having = np.asarray(counts.sum(axis=0)).ravel()
    most = MOST_SHARE * sum(bool(plot) for plot in plots)
    for least in (max(LEAST_ITEMS, LEAST_SHARE * len(plots)), 2, 1):
        typical = np.flatnonzero((having >= least) & (having <= most))
        if len(typical) >= 2:
            break
    things = names_of_things(plots, names[typical])
    if len(things) >= FEWEST_NAMES:
        typical = np.array([word for word in typical if names[word] in things])
    chosen = sorted(typical, key=lambda word: (-having[word], names[word]))[:MOST_WORDS]
    return [str(names[word]) for word in chosen], counts[:, chosen].toarray() > 0


def names_of_things(plots: Iterable[str], words: Iterable[str]) -> set[str]:
    """Return which words stand in English plots as names of things do: right after "the", "of" or the like, and before
    a mark or a word without content, as in "the lighthouse by".
    """
    asked = set(words)
    places: Counter[str] = Counter()
    named: Counter[str] = Counter()
    for plot in plots:
        tokens = _TOKEN.findall(plot.lower())
        for place, word in enumerate(tokens):
            if word not in asked:
                continue
            places[word] += 1
            following = tokens[place + 1] if place + 1 < len(tokens) else "."
            ends = not following[0].isalnum() or following in ENGLISH_STOP_WORDS
            named[word] += ends and place > 0 and tokens[place - 1] in _BEFORE
    return {word for word in asked if named[word] and named[word] >= AS_NAME * places[word]}
