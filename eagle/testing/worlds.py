"""Small planted worlds that contract tests play in: who likes what is known, nothing is read from disk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from eagle.config import EncoderConfig, FactorsConfig
from eagle.domains.text import Description
from eagle.latent.base import EncoderData
from eagle.latent.factors import Factors
from eagle.latent.ratings import Ratings
from eagle.latent.space import LatentSpace

GENRES = ("comedy", "crime", "drama", "horror", "romance", "war")
WORDS = ("thief", "robot", "soldier", "clown")


class WordEmbedder:
    """Mean of one fixed random vector per word, normalised: a sentence model whose answer is known."""

    dimension = 24

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return (n, 24) float32."""
        return np.array([self._one(text) for text in texts], np.float32).reshape(len(texts), self.dimension)

    def _one(self, text: str) -> np.ndarray:
        seeds = [int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") for word in text.lower().split()]
        mean = np.mean([np.random.default_rng(seed).normal(size=self.dimension) for seed in seeds or [0]], axis=0)
        vector: np.ndarray = mean / np.linalg.norm(mean)
        return vector


def tell(genres: Sequence[str], word: str) -> str:
    """Return a description of a film about a thief, a robot or another."""
    return Description(tuple(genres), f"A {word} finds a ghost in the old house.").render()


def latent_space(items: int = 40, users: int = 8, dimension: int = 5, seed: int = 0) -> LatentSpace:
    """Return a catalogue and users drawn at random; no point stands twice."""
    rng = np.random.default_rng(seed)
    names = [f"i{n}" for n in range(items)]
    return LatentSpace(
        names,
        (rng.normal(size=(items, dimension)) + 1).astype(np.float32),
        [f"u{n}" for n in range(users)],
        rng.normal(size=(users, dimension)).astype(np.float32),
        dict.fromkeys(names),
        np.ones(items, bool),
        np.ones(users, bool),
    )


def catalogue(items: int = 60, users: int = 40, seed: int = 5) -> tuple[pd.DataFrame, list[str], list[list[str]]]:
    """Return ratings (user, item, rating) of users who like or dislike genres, and every item's text and genres."""
    rng = np.random.default_rng(seed)
    hot = (rng.random((items, len(GENRES))) < 0.3).astype(float)
    hot[hot.sum(axis=1) == 0, 0] = 1
    taste = rng.normal(size=(users, len(GENRES)))
    u, i = np.nonzero(rng.random((users, items)) < 0.7)
    rating = np.clip(np.round(2 * (3 + (taste @ hot.T)[u, i])) / 2, 0.5, 5)
    genres = [[g for g, has in zip(GENRES, row, strict=True) if has] for row in hot]
    texts = [tell(g, WORDS[n % len(WORDS)]) for n, g in enumerate(genres)]
    names = pd.DataFrame({"user": [f"u{n}" for n in u], "item": [f"i{n}" for n in i]})
    return names.assign(rating=rating.astype(np.float32)), texts, genres


def encoder_data(k: int = 3, seed: int = 0) -> EncoderData:
    """Return what an encoder learns from: :func:`catalogue`, the last third of the items and users held out."""
    ratings, texts, _ = catalogue()
    items, users = [f"i{n}" for n in range(len(texts))], sorted(set(ratings["user"]), key=lambda name: int(name[1:]))
    train_items, train_users = items[: 2 * len(items) // 3], users[: 2 * len(users) // 3]
    learning = Ratings.from_table(ratings, train_users, train_items)
    rng = np.random.default_rng(seed)
    factors = Factors(
        learning.mean,
        train_users,
        train_items,
        0.3 * rng.normal(size=(len(train_users), k)),
        np.zeros(len(train_users)),
        0.3 * rng.normal(size=(len(train_items), k)),
        np.zeros(len(train_items)),
    )
    penalties = {"ridge": 1.0, "lambda_user": 1.0, "lambda_text": 1.0, "lambda_bias_text": 1.0}
    return EncoderData(
        items,
        texts,
        [1950 + n % 50 if n % 7 else None for n in range(len(items))],
        np.arange(len(train_items)),
        learning,
        Ratings.from_table(ratings, users, train_items),
        factors,
        WordEmbedder(),
        EncoderConfig(pca=4, genre_weight=1.0, **penalties),
        FactorsConfig(dimension=k, regularization=1.0),
    )
