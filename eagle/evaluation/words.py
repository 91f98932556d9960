"""Words and genres of a text as numbers: the panel's own view of texts, and how much of an anchor is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from eagle.domains.text import Description
from eagle.environment.checks import apart

COMPONENTS = 16  # of the TF-IDF matrix; more do not rank unseen ML-100K items better
_WORD = re.compile(r"(?:[^\W_]|')+")


def words(text: str) -> set[str]:
    """Return the lower-case words of the plot and the genres, without the labels around them, in any script."""
    seen = Description.read_any(text)
    return set(apart(_WORD.findall(f"{' '.join(seen.genres)} {seen.plot}".lower())))


def words_kept(anchor: str, text: str) -> float:
    """Return the share of the anchor's words that ``text`` still has, 0 to 1 (1 for an anchor without words)."""
    known = words(anchor)
    return len(known & words(text)) / len(known) if known else 1.0


def plot_words(plots: Sequence[str]) -> TfidfVectorizer:
    """Return TF-IDF weights of words, still to be fitted to ``plots``: of many plots, two have to have a word."""
    return TfidfVectorizer(stop_words="english", min_df=2 if len(plots) > 50 else 1, sublinear_tf=True)


@dataclass(frozen=True)
class TextFeatures:
    """Features of a text: 1, genres as 0/1, latent directions of the plot's words, year in three terms."""

    vectorizer: TfidfVectorizer
    projection: TruncatedSVD | None
    genres: tuple[str, ...]
    year_centre: float

    @classmethod
    def fit(cls, texts: Sequence[str], years: Sequence[int | None]) -> TextFeatures:
        """Learn vocabulary, directions and genres from texts alone."""
        seen = [Description.read_any(text) for text in texts]
        plots = [item.plot for item in seen if item.plot]
        vectorizer = plot_words(plots)
        counts = vectorizer.fit_transform(plots or ["plot"])
        components = min(COMPONENTS, min(counts.shape) - 1)
        projection = TruncatedSVD(components, random_state=0).fit(counts) if components >= 1 else None
        known_years = [year for year in years if year is not None]
        genres = tuple(sorted({genre for item in seen for genre in item.genres}))
        return cls(vectorizer, projection, genres, float(np.mean(known_years)) if known_years else 0.0)

    def transform(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        """Return (n_texts, d) features; the first is 1."""
        seen = [Description.read_any(text) for text in texts]
        age = np.array([0.0 if year is None else (year - self.year_centre) / 20 for year in years])
        era = np.stack([age, age**2, np.clip(age, 0, None)], axis=1)
        blocks = [np.ones((len(seen), 1)), self._hot(seen), era]
        if self.projection is not None:
            blocks.append(2 * self.projection.transform(self.vectorizer.transform([item.plot for item in seen])))
        return np.hstack(blocks)

    def _hot(self, seen: Sequence[Description]) -> np.ndarray:
        """Return which known genres each description names, (n_texts, n_genres) of 0 and 1."""
        rows = [[genre in item.genres for genre in self.genres] for item in seen]
        return np.array(rows, dtype=float).reshape(len(seen), -1)

    def distance(self, anchors: Sequence[str], texts: Sequence[str]) -> np.ndarray:
        """Return 1 - cosine of word weights (TF-IDF of plot words, genres as words), (n,): 0 the same words, 1 none
        shared.
        """
        first, second = self._weights(anchors), self._weights(texts)
        lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
        cosine = np.divide((first * second).sum(axis=1), lengths, out=np.zeros(len(lengths)), where=lengths > 0)
        same = np.array([words(a) == words(b) for a, b in zip(anchors, texts, strict=True)])
        return np.where(same, 0.0, np.clip(1 - cosine, 0, 1))

    def _weights(self, texts: Sequence[str]) -> np.ndarray:
        """Unit-length word weights beside genres that together weigh as much as half of the words, (n, n_words +
        n_genres).
        """
        seen = [Description.read_any(text) for text in texts]
        plots = self.vectorizer.transform([item.plot for item in seen]).toarray()
        hot = self._hot(seen)
        norms = np.linalg.norm(hot, axis=1, keepdims=True)
        return np.hstack([plots, 0.5 * np.divide(hot, norms, out=np.zeros_like(hot), where=norms > 0)])
