"""The shelf itself: hidden ratings by people and items, and their mean near a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from eagle.evaluation.judges.base import Texts

ENOUGH = 15  # hidden ratings of a user below which their mean near a text is mostly noise [M]
FEWEST = 5  # where most people have few; the noise of many people's means averages out, and the check says how far [O]
PULL = 1.0  # rating that draws an item's mean to the overall one; more would leave general liking in the rest [O]


@dataclass(frozen=True)
class HiddenRatings:
    """Hidden ratings of described items, by number."""

    people: tuple[str, ...]
    items: tuple[str, ...]
    person: np.ndarray  # (n,) int
    item: np.ndarray  # (n,) int
    stars: np.ndarray  # (n,)
    personal: np.ndarray  # (n,) stars less the item's mean over all other people
    split: np.ndarray  # (n,) of the item: validation or test
    least: int = ENOUGH
    """How many of them a person needs to be listened to."""

    @classmethod
    def of(cls, table: pd.DataFrame, texts: Texts, raters: Sequence[str]) -> HiddenRatings:
        """Number the rows of ``table`` (user, item, rating, split) whose item has a text; there may be none.

        A person needs as many as half of the ``raters`` have, ENOUGH at most and FEWEST at least.
        """
        rows = table[table["item"].isin(texts.keys())]
        people, person = np.unique(rows["user"].to_numpy(str), return_inverse=True)
        items, item = np.unique(rows["item"].to_numpy(str), return_inverse=True)
        stars = rows["rating"].to_numpy(float)
        personal = stars - _others_mean(person, item, stars)
        split = rows["split"].to_numpy(str)
        counts = np.append(np.bincount(person, minlength=len(people)), 0)[numbers(raters, people.tolist())]
        least = int(np.clip(np.median(counts) if len(counts) else ENOUGH, FEWEST, ENOUGH))
        return cls(tuple(people.tolist()), tuple(items.tolist()), person, item, stars, personal, split, least)

    @property
    def enough(self) -> np.ndarray:
        """Which people have at least ``least`` hidden ratings, (n_people,) bool."""
        return np.bincount(self.person, minlength=len(self.people)) >= self.least

    def shelf(self, values: np.ndarray, rows: np.ndarray) -> Shelf:
        """Return ``values`` (n,) of the ``rows`` (n,) bool as a shelf over all people and items."""
        shape, place = (len(self.people), len(self.items)), (self.person[rows], self.item[rows])
        sums = sparse.csr_array((values[rows], place), shape=shape)
        return Shelf(sums, sparse.csr_array((np.ones(int(rows.sum())), place), shape=shape))


def _others_mean(person: np.ndarray, item: np.ndarray, stars: np.ndarray) -> np.ndarray:
    """Each row's item mean over the rows of other people, drawn to the overall mean by PULL; (n,)."""
    if not len(stars):
        return stars
    rows = pd.DataFrame({"person": person, "item": item, "stars": stars})
    of_item, own = rows.groupby("item")["stars"], rows.groupby(["item", "person"])["stars"]
    total = (of_item.transform("sum") - own.transform("sum")).to_numpy()
    count = (of_item.transform("size") - own.transform("size")).to_numpy()
    mean: np.ndarray = (total + PULL * stars.mean()) / (count + PULL)
    return mean


@dataclass(frozen=True)
class Shelf:
    """Sums and counts of ratings, (n_people, n_items) each."""

    sums: sparse.csr_array
    counts: sparse.csr_array

    def near(self, weights: np.ndarray, apart: np.ndarray) -> np.ndarray:
        """Return (n_texts, n_people): every person's mean near each text less their mean of all; NaN without a rating.

        ``weights`` (n_texts, n_items), above 0. ``apart`` (n_texts,) is the number of an item that is taken off the
        shelf for this text, for either mean, or -1. Random ratings then give 0 on average, also where a person's rating
        of the item taken off is what the answer is compared with (plain leave-one-out would fall as that one rises).
        """
        weights = weights.copy()
        taken = np.flatnonzero(apart >= 0)
        weights[taken, apart[taken]] = 0
        total, count = _added(self.sums, apart), _added(self.counts, apart)
        near, there = (self.sums @ weights.T).T, (self.counts @ weights.T).T
        known = (count > 0) & (there > 0)
        found: np.ndarray = np.where(
            known, near / np.where(known, there, 1) - total / np.where(known, count, 1), np.nan
        )
        return found


def _added(table: sparse.csr_array, apart: np.ndarray) -> np.ndarray:
    """Sum of each person's row without the column ``apart`` of each text, (n_texts, n_people)."""
    columns = table[:, np.maximum(apart, 0)].toarray().T
    columns[apart < 0] = 0
    added: np.ndarray = np.asarray(table.sum(axis=1)).ravel()[None, :] - columns
    return added


def numbers(names: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """Return where each name stands among the known ones, -1 where nowhere; (n,)."""
    place = {name: index for index, name in enumerate(known)}
    return np.array([place.get(name, -1) for name in names], dtype=np.int64)
