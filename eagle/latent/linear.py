"""The built-in encoders: a frozen sentence model and a linear map, W fitted in one of two ways.

E_D(text, year) = [W x, c * w x] (d = factors + 1): the personal coordinates, then the general appeal the text predicts,
weighed by ``encoder.bias_weight``. z_u = [p_u, 1], so <z_u, E_D> is the user's predicted rating less the constants, in
stars.

Differs from the paper (section 5.1): E_D is a frozen sentence model with a linear map, not a fine-tuned LLM
(fine-tuning measured no gain); genres are parsed from the text's genre line; the year is the anchor's and is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from eagle.core.artifacts import read_arrays, write_arrays
from eagle.latent.base import EncoderData
from eagle.latent.features import FeatureMap, TextEmbedder
from eagle.latent.recipes import FitData, Fitted, fit_recipe

ENCODER_SCHEMA = "encoder"


def linear_data(data: EncoderData) -> tuple[FitData, FeatureMap]:
    """Return the features of the catalogue (learned from training items) and what the recipes learn from."""
    texts, years = [data.texts[i] for i in data.train], [data.years[i] for i in data.train]
    features = FeatureMap.fit(texts, years, data.embedder, data.settings)
    vectors = features(data.texts, data.years, data.embedder)
    hot = features.genre_hot(data.texts)
    return FitData(data.items, vectors, hot, data.train, data.learning, data.folding, data.factors), features


class LinearEncoder:
    """Texts and years in, latent vectors out. A text of another form is read as a plot without genres."""

    recipe: ClassVar[str]

    def __init__(self, features: FeatureMap, weights: np.ndarray, embedder: TextEmbedder) -> None:
        self.features = features
        self.weights = weights  # (d, f)
        self._embedder = embedder

    @property
    def dimension(self) -> int:
        return len(self.weights)

    @property
    def genres(self) -> list[str]:
        """Genres of the training items: the ones E_D knows."""
        return list(self.features.genres)

    @classmethod
    def fit(cls, data: EncoderData) -> tuple[Self, np.ndarray]:
        """See :class:`eagle.latent.base.Encoder`."""
        linear, features = linear_data(data)
        return cls.of(fit_recipe(cls.recipe, linear, data.settings, data.factor_settings), features, data)

    @classmethod
    def of(cls, fitted: Fitted, features: FeatureMap, data: EncoderData) -> tuple[Self, np.ndarray]:
        """Return the encoder and the users of a finished fit."""
        return cls(features, fitted.weights(data.settings.bias_weight), data.embedder), fitted.user_vectors

    def encode(self, texts: Sequence[str], years: Sequence[int | None]) -> np.ndarray:
        """Return (n, d) float32, one row per text; ``years`` has one entry per text, None where unknown."""
        if len(texts) != len(years):
            raise ValueError(f"{len(texts)} texts but {len(years)} years")
        return self.map(self.features(texts, years, self._embedder))

    def map(self, features: np.ndarray) -> np.ndarray:
        """Return the vectors (n, d) float32 of features (n, f)."""
        vectors: np.ndarray = (features @ self.weights.T).astype(np.float32)
        return vectors

    def save(self, folder: Path) -> None:
        """Write encoder.safetensors into ``folder``."""
        arrays = {**self.features.to_arrays(), "weights": self.weights}
        write_arrays(folder / "encoder.safetensors", arrays, ENCODER_SCHEMA, ids={"genres": self.features.genres})

    @classmethod
    def load(cls, folder: Path, embedder: TextEmbedder) -> Self:
        """Read what :meth:`save` wrote."""
        arrays, ids = read_arrays(folder / "encoder.safetensors", ENCODER_SCHEMA)
        return cls(FeatureMap.from_arrays(arrays, ids["genres"]), arrays["weights"], embedder)


class JointHybrid(LinearEncoder):
    """W is learned inside the factorisation (:mod:`eagle.latent.hybrid`)."""

    recipe = "joint_hybrid"


class TwoStage(LinearEncoder):
    """The paper's: W is regressed on finished factors."""

    recipe = "two_stage"
