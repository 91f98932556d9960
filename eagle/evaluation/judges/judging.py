"""Put the panel's view beside every text of the trajectories: preference and distance from the case's anchor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from eagle.data.descriptions import plain_years
from eagle.evaluation.judges.distinct import distinct_rows
from eagle.evaluation.judges.panel import Panel


def judge(trajectories: pd.DataFrame, cases: pd.DataFrame, panel: Panel, raters: Sequence[str]) -> pd.DataFrame:
    """Return ``trajectories`` with four more columns, each comparing a row's text with its case's anchor.

    user_preference: probability that the case's user prefers the text, 0.5 = indifferent.
    user_choice: 1 where the panel predicts the higher rating for the text, 0 for the anchor, 0.5 for a tie.
    rater_preference: probability that another rater prefers it, mean over ``raters`` without the case's user.
    distance: 1 - cosine of word and genre weights, 0 to 1 (see TextFeatures.distance).
    """
    about = cases.set_index("case")
    case = trajectories["case"].to_numpy()
    anchors, years = about.loc[case, "text"].to_numpy(), about.loc[case, "year"].to_numpy(object)
    pairs = pd.DataFrame({"text": trajectories["text"].to_numpy(), "anchor_text": anchors, "year": years})
    unique, row = distinct_rows(pairs)
    people = sorted({*raters, *trajectories["user"]})
    gains = _rating(panel, unique["text"], unique["year"], people) - _rating(
        panel, unique["anchor_text"], unique["year"], people
    )
    probability = panel.prefers(gains)  # (n_pairs, n_people)
    column = {person: index for index, person in enumerate(people)}
    own = np.array([column[user] for user in trajectories["user"]])
    own_gain = gains[row, own]
    return trajectories.assign(
        user_preference=probability[row, own],
        user_choice=np.where(np.abs(own_gain) < 1e-9, 0.5, (own_gain > 0).astype(float)),
        rater_preference=_others(probability, [column[rater] for rater in raters], row, own),
        distance=panel.features.distance(unique["anchor_text"].tolist(), unique["text"].tolist())[row],
    )


def _rating(panel: Panel, texts: pd.Series, years: pd.Series, people: Sequence[str]) -> np.ndarray:
    return panel.matrix(texts.tolist(), plain_years(years), people)


def _others(probability: np.ndarray, raters: list[int], row: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Mean over the raters' columns, without the row's own user; NaN where nobody else is left."""
    asked = np.zeros(probability.shape[1], dtype=bool)
    asked[raters] = True
    total = probability[:, asked].sum(axis=1)[row] - np.where(asked[own], probability[row, own], 0.0)
    count = asked.sum() - asked[own]
    return np.divide(total, count, out=np.full(len(row), np.nan), where=count > 0)
