"""Foretell real ratings as texts are judged, each without itself; choose the kernel's width by that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from eagle.core.seeding import stream
from eagle.evaluation.judges.shelf_figures import Foretold
from eagle.evaluation.judges.shelf_ratings import HiddenRatings, Shelf
from eagle.evaluation.judges.shelf_texts import kernel
from eagle.stats.intervals import Estimate

WIDTHS = (0.05, 0.1, 0.2, 0.4, 0.8)
DIVISIONS = 4  # of every person's ratings into halves
PEOPLE = 1000  # whose ratings are foretold at most; more move no figure by its interval
BLOCK = 256  # texts in one matrix of weights


@dataclass(frozen=True)
class Settings:
    """How intervals are drawn."""

    seed: int
    resamples: int
    confidence: float


@dataclass(frozen=True)
class Foreteller:
    """Hidden ratings beside the directions of their items' texts, (n_items, d)."""

    hidden: HiddenRatings
    directions: sparse.csr_array
    settings: Settings

    def rows(self, split: str, people: np.ndarray | None = None) -> np.ndarray:
        """Return which ratings are of items of this split by people (a mask; None: all) with enough of them."""
        asked = self.hidden.enough if people is None else self.hidden.enough & people
        found: np.ndarray = (self.hidden.split == split) & _some(asked, self.settings.seed)[self.hidden.person]
        return found

    def foretold(
        self, values: np.ndarray, rows: np.ndarray, known: np.ndarray, width: float, divisions: int = DIVISIONS
    ) -> Foretold:
        """Foretell the ``rows`` (n,) bool of ``values`` (n,) from those ``known`` (n,) bool, by person."""
        hidden = self.hidden
        shelves = [hidden.shelf(values, known)]
        for division in range(divisions):
            half = self._halves(division)
            shelves += [hidden.shelf(values, known & half), hidden.shelf(values, known & ~half)]
        said = foretell(shelves, self.directions, hidden.person[rows], hidden.item[rows], width)
        halves = said[1:].reshape(divisions, 2, len(said[0])).swapaxes(0, 1)
        return Foretold(hidden.person[rows], hidden.person[rows], said[0], values[rows], halves)

    def _halves(self, division: int) -> np.ndarray:
        """A random half of every person's rows, (n,) bool."""
        person = self.hidden.person
        order = np.lexsort((stream(self.settings.seed, "shelf", "halves", division).random(len(person)), person))
        half = np.zeros(len(person), dtype=bool)
        half[order] = (np.arange(len(person)) - np.searchsorted(person[order], person[order])) % 2 == 0
        return half

    def best_width(self) -> float:
        """Return the width that foretells validation items best, from other validation items."""
        rows, known = self.rows("validation"), self.hidden.split == "validation"
        found: dict[float, float] = {}
        for width in WIDTHS:
            sums = self.foretold(self.hidden.stars, rows, known, width, divisions=0).sums.sum(axis=1)
            found[width] = float(sums[0] / np.sqrt(sums[1] * sums[2])) if sums[1] * sums[2] > 0 else 0.0
        return max(found, key=lambda width: (found[width], width))

    def scale(self, values: np.ndarray, width: float) -> float:
        """Return the real stars behind one star of a mean near a text, on validation items; 1 where they show none."""
        known = self.hidden.split == "validation"
        estimate = self.behind_one(self.foretold(values, self.rows("validation"), known, width))
        return estimate.mean if estimate.low > 0 else 1.0

    def correlation(self, rows: Foretold) -> Estimate:
        """Return the correlation within groups."""
        return rows.correlation(self.settings.seed, self.settings.resamples, self.settings.confidence)

    def behind_one(self, rows: Foretold) -> Estimate:
        """Return the real stars behind one star that is said."""
        return rows.behind_one(self.settings.seed, self.settings.resamples, self.settings.confidence)


def foretell(
    shelves: Sequence[Shelf], directions: sparse.csr_array, person: np.ndarray, item: np.ndarray, width: float
) -> np.ndarray:
    """Return (n_shelves, n): what each shelf says of row i, ``person[i]`` on ``item[i]``, without that item."""
    said = np.full((len(shelves), len(item)), np.nan)
    asked, row = np.unique(item, return_inverse=True)
    for start in range(0, len(asked), BLOCK):
        block = asked[start : start + BLOCK]
        here = np.flatnonzero((row >= start) & (row < start + BLOCK))
        weights = kernel(directions[block], directions, width)
        for place, shelf in enumerate(shelves):
            said[place, here] = shelf.near(weights, block)[row[here] - start, person[here]]
    return said


def _some(asked: np.ndarray, seed: int) -> np.ndarray:
    """At most PEOPLE of those asked, drawn; a mask as ``asked``."""
    people = np.flatnonzero(asked)
    chosen = np.zeros(len(asked), dtype=bool)
    chosen[stream(seed, "shelf", "people").permutation(people)[:PEOPLE]] = True
    return chosen
