"""Planted worlds: ratings whose factors, text map and users are known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from eagle.core.artifacts import write_json, write_table
from eagle.core.project import Project
from eagle.domains.text import Description
from eagle.latent.ratings import Ratings

GENRES = ("comedy", "crime", "drama", "horror", "romance", "war")


class WordEmbedder:
    """Mean of one fixed random vector per word, normalised: a sentence model whose answer is known."""

    dimension = 24

    def __init__(self) -> None:
        self.calls: list[str] = []

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.calls += list(texts)
        return np.array([self._one(text) for text in texts], np.float32).reshape(len(texts), self.dimension)

    def _one(self, text: str) -> np.ndarray:
        words = [
            int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") for word in text.lower().split()
        ] or [0]
        mean = np.mean([np.random.default_rng(word).normal(size=self.dimension) for word in words], axis=0)
        return mean / np.linalg.norm(mean)


@dataclass(frozen=True)
class Planted:
    """r = mean + b_u + b_i + <p_u, q_i> + noise on a random share of all pairs."""

    table: pd.DataFrame
    users: list[str]
    items: list[str]
    expected: np.ndarray  # (n_users, n_items), without noise

    @property
    def ratings(self) -> Ratings:
        return Ratings.from_table(self.table, self.users, self.items)


def plant(
    n_users: int = 60, n_items: int = 50, k: int = 3, share: float = 0.5, noise: float = 0.05, seed: int = 0
) -> Planted:
    rng = np.random.default_rng(seed)
    p, q = rng.normal(size=(n_users, k)), rng.normal(size=(n_items, k))
    expected = 3.5 + 0.5 * rng.normal(size=(n_users, 1)) + 0.5 * rng.normal(size=n_items) + p @ q.T
    u, i = np.nonzero(rng.random(expected.shape) < share)
    users, items = [f"u{n}" for n in range(n_users)], [f"i{n}" for n in range(n_items)]
    rating = expected[u, i] + noise * rng.normal(size=len(u))
    table = pd.DataFrame({"user": np.array(users)[u], "item": np.array(items)[i], "rating": rating.astype(np.float32)})
    return Planted(table, users, items, expected)


@pytest.fixture
def planted() -> Planted:
    return plant()


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


def tell(genres: Sequence[str], word: str) -> str:
    return Description(tuple(genres), f"A {word} finds a ghost." if word else "").render()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose users like or dislike genres, with all that the room's stages read."""
    from tests.tiny import build_tiny_text_encoder

    project = Project(tmp_path_factory.mktemp("world"))
    rng = np.random.default_rng(5)
    n_users, n_items = 40, 60
    hot = (rng.random((n_items, len(GENRES))) < 0.3).astype(float)
    hot[hot.sum(axis=1) == 0, 0] = 1
    taste = rng.normal(size=(n_users, len(GENRES)))
    u, i = np.nonzero(rng.random((n_users, n_items)) < 0.7)
    rating = np.clip(np.round(2 * (3 + (taste @ hot.T)[u, i])) / 2, 0.5, 5)
    users, items = [f"u{n}" for n in range(n_users)], [f"i{n}" for n in range(n_items)]
    split = ["train"] * 6 + ["validation"] * 2 + ["test"] * 2
    table = pd.DataFrame({"user": np.array(users)[u], "item": np.array(items)[i], "rating": rating.astype(np.float32)})
    table["part"] = rng.choice(["fit", "holdout", "panel"], size=len(table), p=[0.7, 0.15, 0.15])
    write_table(project.split_files.ratings, table, "rating_split")
    write_table(project.split_files.items, pd.DataFrame({"item": items, "split": split * 6}), "item_split")
    write_table(project.split_files.users, pd.DataFrame({"user": users, "split": split * 4}), "user_split")
    genres = [[g for g, has in zip(GENRES, row, strict=True) if has] for row in hot]
    words = ["thief" if n % 3 == 0 else "robot" if n % 3 == 1 else "" for n in range(n_items)]
    described = pd.DataFrame(
        {
            "item": items,
            "text": [tell(g, word) for g, word in zip(genres, words, strict=True)],
            "genres": genres,
            "plot": [f"A {word} finds a ghost." if word else "" for word in words],
            "year": pd.array([1950 + n % 50 if n % 7 else None for n in range(n_items)], dtype="Int64"),
            "origin": "source",
        }
    )
    write_table(project.descriptions, described, "descriptions")
    titles = pd.DataFrame({"item": items, "title": [f"Strange Tale {n} (1990)" for n in range(n_items)]})
    write_table(project.catalogue_files.items, titles, "items")
    source = {"source": "planted", "files": {}, "rating_min": 1.0, "rating_max": 5.0, "licence": ""}
    write_json(project.catalogue_files.source, source)
    build_tiny_text_encoder(project.text_model)
    return project
