"""What a genre, or a typical word, in a text does to its latent vector."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from eagle.data.columns.typical_words import telling_genres, word_table
from eagle.data.descriptions import plain_years
from eagle.domains.text import Description
from eagle.latent.base import TextEncoder

EXAMPLES = (
    16  # descriptions the effect is averaged over; few suffice where the encoder is linear in its genres [O: time]
)
MIN_ITEMS = 10  # items a genre needs for its effect to be more than noise [O]


def common_genres(descriptions: pd.DataFrame, least: int = MIN_ITEMS) -> list[str]:
    """Return, sorted, the genres that at least ``least`` items carry (all genres where none does)."""
    counts = descriptions["genres"].explode().dropna().value_counts()
    frequent = counts[counts >= least] if (counts >= least).any() else counts
    return sorted(str(genre) for genre in frequent.index)


def label_effects(encoder: TextEncoder, descriptions: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the effects of genres, or of the typical words of the texts where genres tell no two items apart."""
    return genre_effects(encoder, descriptions) if telling_genres(descriptions) else word_effects(encoder, descriptions)


def word_effects(encoder: TextEncoder, descriptions: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return, per typical word, the mean of E_D over texts that have it less the mean over those that do not, (d,).

    Real texts are compared: a word put behind a text is no sentence, and a sentence encoder hardly moves with it.
    """
    found, having = word_table(descriptions)
    if not found:
        return {}
    vectors = encoder.encode(descriptions["text"].tolist(), plain_years(descriptions["year"])).astype(np.float64)
    return {
        word: vectors[has].mean(axis=0) - vectors[~has].mean(axis=0) for word, has in zip(found, having.T, strict=True)
    }


def genre_effects(encoder: TextEncoder, descriptions: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return, per common genre, the mean of E_D(text with the genre) - E_D(text without it): (d,) each.

    ``descriptions`` is the contract's table (text, genres, year), training items only where the result must not know
    others. The mean is over ``EXAMPLES`` rows spread evenly over the table; a genre is added as the last one.
    """
    genres = common_genres(descriptions)
    chosen = np.unique(np.linspace(0, len(descriptions) - 1, min(EXAMPLES, len(descriptions))).astype(int))
    rows = descriptions.iloc[chosen]
    parsed = [Description.read(text) for text in rows["text"]]
    years = plain_years(rows["year"])
    texts: list[str] = []
    for genre in genres:
        for description in parsed:
            others = tuple(g for g in description.genres if g != genre)
            texts += [
                replace(description, genres=(*others, genre)).render(),
                replace(description, genres=others).render(),
            ]
    vectors = encoder.encode(texts, [year for year in years for _ in range(2)] * len(genres))
    pairs = vectors.reshape(len(genres), len(parsed), 2, -1)
    mean = (pairs[:, :, 0] - pairs[:, :, 1]).mean(axis=1)
    return dict(zip(genres, mean, strict=True))
