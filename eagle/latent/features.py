"""What E_D sees of a text: parsed genres, the (held) year, and principal components of two sentence embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from eagle.config import EncoderConfig
from eagle.domains.text import Description


class TextEmbedder(Protocol):
    """Anything that turns texts into (n, dimension) float32 vectors; MiniLM in earnest."""

    def embed(self, texts: Sequence[str]) -> np.ndarray: ...


def parse_loosely(text: str) -> Description:
    """Parse a state line; a text of another form is taken as a plot without genres."""
    try:
        return Description.read(text)
    except ValueError:
        return Description((), " ".join(text.split()))


def full_view(description: Description) -> str:
    """The first text MiniLM sees; the genres are in it even where there is no plot."""
    names = description.fields
    if not names.labels:
        return plot_view(description)
    return f"{names.labels.lower()}: {', '.join(description.genres)} {names.body.lower()}: {description.plot}".strip()


def plot_view(description: Description) -> str:
    return f"{description.fields.body.lower()}: {description.plot}"


@dataclass(frozen=True)
class Projection:
    """Centre and leading principal directions of an embedding, both from training items."""

    mean: np.ndarray  # (e,)
    directions: np.ndarray  # (e, p)

    @classmethod
    def fit(cls, vectors: np.ndarray, components: int) -> Projection:
        mean = vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1], vectors.dtype)
        _, _, right = np.linalg.svd(vectors - mean, full_matrices=False)
        right = right[: min(components, len(vectors))]
        # The sign of a singular vector is the library's choice; fix it, so that features agree between machines.
        largest = np.abs(right).argmax(axis=1)
        return cls(mean, (right * np.sign(right[np.arange(len(right)), largest])[:, None]).T)

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        projected: np.ndarray = (vectors - self.mean) @ self.directions
        return projected


@dataclass(frozen=True)
class FeatureMap:
    """x(text, year): genre multi-hot, radial functions of the year, PCA of the full text, PCA of the plot."""

    genres: list[str]
    year_centres: np.ndarray  # (y,)
    year_width: float
    full: Projection
    plot: Projection
    genre_weight: float
    plot_weight: float

    @property
    def dimension(self) -> int:
        projected = self.full.directions.shape[1] + self.plot.directions.shape[1]
        return len(self.genres) + len(self.year_centres) + int(projected)

    @classmethod
    def fit(
        cls, texts: Sequence[str], years: Sequence[int | None], embedder: TextEmbedder, config: EncoderConfig
    ) -> FeatureMap:
        """Learn vocabulary, year range and principal directions from training items."""
        parsed = [parse_loosely(text) for text in texts]
        known = np.array([year for year in years if year is not None], float)
        centres = np.linspace(known.min(), known.max(), config.year_functions) if len(known) else np.zeros(0)
        width = float(centres[1] - centres[0]) if len(centres) > 1 and centres[1] > centres[0] else 1.0
        with_plot = [d for d in parsed if d.plot]
        return cls(
            sorted({genre for d in parsed for genre in d.genres}),
            centres,
            width,
            Projection.fit(embedder.embed([full_view(d) for d in parsed]).astype(np.float64), config.pca),
            Projection.fit(embedder.embed([plot_view(d) for d in with_plot]).astype(np.float64), config.pca),
            config.genre_weight,
            config.plot_weight,
        )

    def __call__(self, texts: Sequence[str], years: Sequence[int | None], embedder: TextEmbedder) -> np.ndarray:
        """Return features (n, dimension) float64."""
        parsed = [parse_loosely(text) for text in texts]
        plots = np.zeros((len(parsed), self.plot.directions.shape[1]))
        rows = [i for i, d in enumerate(parsed) if d.plot]
        if rows and self.plot_weight:
            plots[rows] = self.plot(embedder.embed([plot_view(parsed[i]) for i in rows]).astype(np.float64))
        full = self.full(embedder.embed([full_view(d) for d in parsed]).astype(np.float64))
        return np.hstack(
            [self.genre_weight * self.genre_hot(texts), self._year_block(years), full, self.plot_weight * plots]
        )

    def genre_hot(self, texts: Sequence[str]) -> np.ndarray:
        """Return which known genres each text names: (n, g) of 0 and 1."""
        place = {genre: j for j, genre in enumerate(self.genres)}
        block = np.zeros((len(texts), len(place)))
        for i, text in enumerate(texts):
            for genre in parse_loosely(text).genres:
                if genre in place:
                    block[i, place[genre]] = 1.0
        return block

    def _year_block(self, years: Sequence[int | None]) -> np.ndarray:
        """Zero where the year is unknown; years outside the training range stand at its end."""
        block = np.zeros((len(years), len(self.year_centres)))
        rows = [i for i, year in enumerate(years) if year is not None]
        if rows and len(self.year_centres):
            year = np.array([years[i] for i in rows], float).clip(self.year_centres[0], self.year_centres[-1])
            block[rows] = np.exp(-0.5 * ((year[:, None] - self.year_centres) / self.year_width) ** 2)
        return block

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {
            "year_centres": self.year_centres,
            "scales": np.array([self.year_width, self.genre_weight, self.plot_weight]),
            "full_mean": self.full.mean,
            "full_directions": self.full.directions,
            "plot_mean": self.plot.mean,
            "plot_directions": self.plot.directions,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], genres: Sequence[str]) -> FeatureMap:
        width, genre_weight, plot_weight = (float(value) for value in arrays["scales"])
        full = Projection(arrays["full_mean"], arrays["full_directions"])
        plot = Projection(arrays["plot_mean"], arrays["plot_directions"])
        return cls(list(genres), arrays["year_centres"], width, full, plot, genre_weight, plot_weight)
