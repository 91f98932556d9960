"""The hidden shelf: a judge made of real ratings.

1. For a text and a user: the mean of the user's own ratings (less their mean) of items that neither factors nor encoder
   ever saw, weighted by exp(cosine / width) of words and genres between text and item; the gain is that less the same
   for the anchor's text. No model of taste is in it. The anchor itself is never on its own shelf.
2. The shelf holds all ratings of validation and test items: parts fit, holdout and panel. Factors, encoder, user
   vectors, profiles and all that build on these learn from fit rows on training items alone. Of the ratings on the
   shelf, stage describe counts the fit rows of an item, to write plots of popular ones first; the stages' reports
   measure cold items on fit and holdout rows; the panel, a judge, learns from the panel rows, so panel and shelf share
   ratings. The encoder's defaults were once chosen on validation items. While validation anchors are evaluated, no test
   item is on the shelf.
3. The kernel's width is the one that foretells users' ratings of validation items best. A mean near a text is smooth:
   it says less than the truth. Both columns are multiplied by what stands behind one star of it on validation items
   (:meth:`eagle.evaluation.judges.shelf_figures.Foretold.behind_one`), so that they are in stars of real ratings; the
   check measures on test items whether they are (``behind_one``, best 1).
4. A user with few hidden ratings has no judgement: NaN. Few is fewer than 15, or than half of the raters have, down to
   5: in a sparse catalogue hardly anybody has 15.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy import sparse

from eagle.evaluation.judges.base import JudgeData
from eagle.evaluation.judges.distinct import distinct_rows
from eagle.evaluation.judges.shelf_check import check_shelf
from eagle.evaluation.judges.shelf_foretelling import BLOCK, Foreteller, Settings
from eagle.evaluation.judges.shelf_ratings import HiddenRatings, Shelf, numbers
from eagle.evaluation.judges.shelf_texts import WordsAndGenres, kernel


@dataclass(frozen=True)
class HiddenShelf:
    """A :class:`~eagle.evaluation.judges.base.Judge`.

    shelf_stars: gain over the anchor in stars. shelf_personal: the same of ratings less their item's mean over all
    other users: what of the gain is this user's own taste.
    """

    features: WordsAndGenres
    hidden: HiddenRatings
    directions: sparse.csr_array  # of the hidden items' texts
    width: float
    scales: tuple[float, float]  # of shelf_stars and of shelf_personal
    found: dict[str, object]
    columns: ClassVar[tuple[str, ...]] = ("shelf_stars", "shelf_personal")

    @classmethod
    def fit(cls, data: JudgeData) -> HiddenShelf:
        """Put all hidden ratings on the shelf; choose its width and scales on validation items."""
        features = WordsAndGenres.fit([text for text, _ in data.texts.values()])
        hidden = HiddenRatings.of(data.hidden, data.texts, data.raters)
        directions = features.directions([data.texts[item][0] for item in hidden.items])
        foreteller = Foreteller(hidden, directions, Settings(data.seed, data.resamples, data.confidence))
        width = foreteller.best_width()
        scales = foreteller.scale(hidden.stars, width), foreteller.scale(hidden.personal, width)
        shelf = cls(features, hidden, directions, width, scales, {})
        return replace(shelf, found=check_shelf(foreteller, data, width, scales, shelf.gains))

    def matrix(
        self,
        texts: Sequence[str],
        users: Sequence[str],
        *,
        apart: Sequence[str] | None = None,
        personal: bool = False,
    ) -> np.ndarray:
        """Return (n_texts, n_users): stars above the user's mean that each user's shelf says of each text.

        NaN for users with too few hidden ratings. ``apart``: for each text an item to leave off the shelf.
        ``personal``: of ratings less their items' means.
        """
        shelf = self._shelf(personal)
        off = np.full(len(texts), -1) if apart is None else numbers(apart, self.hidden.items)
        number = numbers(users, self.hidden.people)
        enough = (number >= 0) & np.append(self.hidden.enough, False)[number]
        asked = Shelf(shelf.sums[number[enough]], shelf.counts[number[enough]])
        directions = self.features.directions(texts)
        said = np.full((len(texts), len(users)), np.nan)
        for start in range(0, len(texts) if enough.any() else 0, BLOCK):
            block = slice(start, start + BLOCK)
            weights = kernel(directions[block], self.directions, self.width)
            said[block, enough] = self.scales[personal] * asked.near(weights, off[block])
        return said

    def gains(
        self, texts: Sequence[str], anchors: Sequence[str], items: Sequence[str], users: Sequence[str]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (n_texts, n_users) twice, total and personal: stars that a text gains over its anchor's text.

        ``anchors``: the anchors' texts; ``items``: the anchors' ids, off the shelf for the pair. (n_texts,) each.
        """
        pairs = [*zip(texts, items, strict=True), *zip(anchors, items, strict=True)]
        place = {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}
        rows = np.array([place[pair] for pair in pairs], dtype=np.int64)
        unique, apart = [text for text, _ in place], [item for _, item in place]
        found = [self.matrix(unique, users, apart=apart, personal=personal) for personal in (False, True)]
        total, personal = (said[rows[: len(texts)]] - said[rows[len(texts) :]] for said in found)
        return total, personal

    def judge(self, trajectories: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
        """Return what every row's text gains over its case's anchor for the case's user, in stars."""
        about = cases.set_index("case").loc[trajectories["case"].to_numpy()]
        pairs = pd.DataFrame({"text": trajectories["text"].to_numpy(), "before": about["text"].to_numpy()})
        pairs["item"] = about["anchor"].to_numpy()
        unique, row = distinct_rows(pairs)
        users = sorted(set(trajectories["user"]))
        gains = self.gains(unique["text"].tolist(), unique["before"].tolist(), unique["item"].tolist(), users)
        own = row, numbers(trajectories["user"].tolist(), users)
        return pd.DataFrame(
            {name: gain[own] for name, gain in zip(self.columns, gains, strict=True)}, index=trajectories.index
        )

    def check(self) -> dict[str, object]:
        """Return how well it foretells ratings that are taken off it, and which gains it could see."""
        return self.found

    def _shelf(self, personal: bool) -> Shelf:
        values = self.hidden.personal if personal else self.hidden.stars
        return self.hidden.shelf(values, np.ones(len(values), dtype=bool))
