"""Put latent points and utilities beside every text of the trajectories; equal texts are encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from eagle.evaluation.words import parts
from eagle.text import Description

if TYPE_CHECKING:
    from eagle.utility import Utility

Pair = tuple[str, int | None]


class TextEncoder(Protocol):
    """E_D, as eagle.embeddings.encoder.Encoder offers it."""

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray: ...


def genre_line_only(anchor: str, text: str) -> str:
    """Return the anchor's plot under the genres of ``text``: what is left of a change if only its labels count."""
    return Description(parts(text).genres, parts(anchor).plot).render()


def _encode(pairs: Sequence[Pair], encoder: TextEncoder) -> np.ndarray:
    unique = list(dict.fromkeys(pairs))
    vectors = encoder.encode([text for text, _ in unique], [year for _, year in unique])
    place = {pair: index for index, pair in enumerate(unique)}
    found: np.ndarray = vectors[[place[pair] for pair in pairs]]
    return found


def score(trajectories: pd.DataFrame, cases: pd.DataFrame, encoder: TextEncoder, utility: Utility) -> pd.DataFrame:
    """Return ``trajectories`` with six more columns.

    z: latent point of the row's text (d,), the year being the anchor's. utility: U in SD over the encoded catalogue, 0 = the
    user's mean item. preference, distance_bonus: its parts, each in its own SD. genre_line_utility: U of the anchor's plot under
    the row's genre line. year: the anchor's.
    """
    about = cases.set_index("case")
    case = trajectories["case"].to_numpy()
    anchors, years = about.loc[case, "text"].tolist(), about.loc[case, "year"].tolist()
    texts, users = trajectories["text"].tolist(), trajectories["user"].tolist()
    z = _encode(list(zip(texts, years, strict=True)), encoder)
    labels = [genre_line_only(anchor, text) for anchor, text in zip(anchors, texts, strict=True)]
    pieces = utility.parts(z, users)
    return trajectories.assign(
        year=pd.Series(years, dtype="Int64", index=trajectories.index),
        utility=utility(z, users),
        preference=pieces["preference"],
        distance_bonus=pieces["distance"],
        genre_line_utility=utility(_encode(list(zip(labels, years, strict=True)), encoder), users),
        z=pd.Series([row.tolist() for row in z.astype(np.float32)], dtype=object, index=trajectories.index),
    )
