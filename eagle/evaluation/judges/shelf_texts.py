"""How near a text is to the items of the shelf: the cosine of word and genre weights, without any sentence model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.preprocessing import normalize

from eagle.domains.text import Description
from eagle.evaluation.words import plot_words

GENRE_WEIGHT = 2.0  # of all genres together; all words weigh 1. Of .5, 1 and 2 the best on validation items [M]


def _genres(text: str) -> list[str]:
    return list(Description.read_any(text).genres)


@dataclass(frozen=True)
class WordsAndGenres:
    """TF-IDF of the plot's words beside the genres, as directions of length 1."""

    words: TfidfVectorizer
    genres: CountVectorizer

    @classmethod
    def fit(cls, texts: Sequence[str]) -> WordsAndGenres:
        """Learn vocabulary and genres from texts alone."""
        plots = [plot for plot in (Description.read_any(text).plot for text in texts) if plot]
        known = sorted({genre for text in texts for genre in _genres(text)}) or ["none"]
        return cls(
            plot_words(plots).fit(plots or ["plot"]), CountVectorizer(analyzer=_genres, vocabulary=known, binary=True)
        )

    def directions(self, texts: Sequence[str]) -> sparse.csr_array:
        """Return (n_texts, d) rows of length 1; a text without any known word or genre has length 0."""
        if not len(texts):
            return sparse.csr_array((0, len(self.words.vocabulary_) + len(self.genres.vocabulary)))
        plots = self.words.transform([Description.read_any(text).plot for text in texts])
        named = GENRE_WEIGHT * normalize(self.genres.transform(texts).astype(float))
        return sparse.csr_array(normalize(sparse.hstack([plots, named], format="csr")))


def kernel(texts: sparse.csr_array, items: sparse.csr_array, width: float) -> np.ndarray:
    """Return weights (n_texts, n_items) of items for texts: exp((cosine - 1) / width), 1 for the very same."""
    weights: np.ndarray = np.exp(((texts @ items.T).toarray() - 1) / width)
    return weights
