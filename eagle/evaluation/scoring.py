"""Put latent points and utilities beside every text of the trajectories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from eagle.data.descriptions import plain_years
from eagle.domains.text import Description
from eagle.latent.base import TextEncoder, Utility
from eagle.latent.text_utility import TextUtility, Valued
from eagle.latent.utilities import finite

Pair = tuple[str, int | None]
PART_COLUMNS = {"preference": "preference", "distance": "distance_bonus"}
"""Parts of a utility whose columns do not begin with part_."""


def genre_line_only(anchor: str, text: str) -> str:
    """Return the anchor's plot under the genres of ``text``: what is left of a change if only its labels count."""
    return replace(Description.read_any(anchor), genres=Description.read_any(text).genres).render()


@dataclass
class RememberingEncoder:
    """An encoder that encodes equal (text, year) pairs once in its life."""

    inner: TextEncoder
    _known: dict[Pair, np.ndarray] = field(default_factory=dict)

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        """Return (n, d), as the inner encoder would."""
        pairs = list(zip(texts, years, strict=True))
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self._known]
        if new:
            self._known |= dict(
                zip(new, self.inner.encode([text for text, _ in new], [year for _, year in new]), strict=True)
            )
        return np.stack([self._known[pair] for pair in pairs]) if pairs else self.inner.encode([], [])


def score(trajectories: pd.DataFrame, cases: pd.DataFrame, encoder: TextEncoder, utility: Utility) -> pd.DataFrame:
    """Return ``trajectories`` with more columns.

    z: latent point of the row's text (d,), the year being the anchor's. utility: U in SD over the encoded catalogue, 0
    = the user's mean item. Its parts: preference and distance_bonus of the paper's, each in its own SD, others as
    part_NAME. genre_line_utility: U of the anchor's plot under the row's genre line. year: the anchor's.
    """
    about = cases.set_index("case")
    case = trajectories["case"].to_numpy()
    anchors, years = about.loc[case, "text"].tolist(), about.loc[case, "year"].tolist()
    texts, users = trajectories["text"].tolist(), trajectories["user"].tolist()
    z = encoder.encode(texts, years)
    labels = [genre_line_only(anchor, text) for anchor, text in zip(anchors, texts, strict=True)]
    return trajectories.assign(
        year=pd.Series(years, dtype="Int64", index=trajectories.index),
        utility=finite(utility(z, users)),
        **{PART_COLUMNS.get(name, f"part_{name}"): values for name, values in utility.parts(z, users).items()},
        genre_line_utility=finite(utility(encoder.encode(labels, years), users)),
        z=pd.Series([row.tolist() for row in z.astype(np.float32)], dtype=object, index=trajectories.index),
    )


def valued_rows(rows: pd.DataFrame, cases: pd.DataFrame, utility: TextUtility) -> Valued:
    """Return what the texts of rows (case, user, text) are worth, and whether they may be kept.

    The cases say of which text and which year each was made.
    """
    about = cases.set_index("case").loc[rows["case"]]
    texts, users = rows["text"].tolist(), rows["user"].tolist()
    return utility.value(texts, plain_years(about["year"]), users, about["text"].tolist())


def with_eligible(scored: pd.DataFrame, cases: pd.DataFrame, utility: TextUtility) -> pd.DataFrame:
    """Return scored rows with eligible (bool): whether the text is whole and new enough; the anchor's own text is."""
    anchors = scored["case"].map(cases.set_index("case")["text"])
    found = valued_rows(scored, cases, utility)
    return scored.assign(eligible=found.eligible | (scored["text"] == anchors).to_numpy())


def as_offered(scored: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the utility that counts: that of the anchor where a text is not eligible.

    A text that is broken or a copy of what exists would not be offered.
    """
    start = scored[scored["step"] == 0].drop_duplicates("case").set_index("case")["utility"]
    offered = scored["utility"].where(scored["eligible"], scored["case"].map(start))
    return scored.assign(utility=offered)


def in_stars(rows: pd.DataFrame, cases: pd.DataFrame, encoder: TextEncoder, utility: Utility) -> pd.DataFrame:
    """Return ``rows`` (case, user, text) with utility, and with the predicted rating <z_u, z> in stars.

    preference_stars: less a constant of the user, which differences do not have.
    """
    years, users = plain_years(rows["case"].map(cases.set_index("case")["year"])), rows["user"].tolist()
    z = encoder.encode(rows["text"].tolist(), years).astype(np.float64)
    tastes = utility.latent.rows_of_users(users).astype(np.float64)
    return rows.assign(utility=finite(utility(z, users)), preference_stars=np.einsum("nd,nd->n", tastes, z))
