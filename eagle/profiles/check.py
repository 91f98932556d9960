"""The paper's check of profiles: can a text encoder find the user's vector from the profile alone?"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from eagle.latent.features import TextEmbedder
from eagle.latent.recipes import ridge
from eagle.stats.intervals import user_interval

PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # on unit embeddings, chosen on validation users


def nearest_neighbour_distance(vectors: np.ndarray) -> np.ndarray:
    """Return every row's Euclidean distance to the nearest other row: (n,)."""
    distances = cdist(vectors, vectors)
    np.fill_diagonal(distances, np.inf)
    nearest: np.ndarray = distances.min(axis=1)
    return nearest


def profile_check(
    texts: list[str], vectors: np.ndarray, splits: np.ndarray, embedder: TextEmbedder, rng: np.random.Generator
) -> dict[str, Any]:
    """Regress z_u (n, d) on the profile's embedding over train users; judge held-out ones.

    Returns the mean error |z_u - predicted| on test users, beside the mean nearest-neighbour distance of the z_u (the
    paper wants the error below it) and the error of the mean user, all in the units of z.
    """
    embedded = embedder.embed(texts).astype(np.float64)
    train, validation, test = (splits == name for name in ("train", "validation", "test"))
    x = embedded - embedded[train].mean(axis=0)
    mean = vectors[train].mean(axis=0)
    y = vectors - mean

    def errors(penalty: float, rows: np.ndarray) -> np.ndarray:
        error: np.ndarray = np.linalg.norm(y[rows] - x[rows] @ ridge(x[train], y[train], penalty).T, axis=1)
        return error

    choosing = validation if validation.any() else train
    penalty = min(PENALTIES, key=lambda p: float(errors(p, choosing).mean()))
    found, neighbours = errors(penalty, test), nearest_neighbour_distance(vectors)[test]
    return {
        "error": user_interval(found, rng),
        "nearest neighbour distance": user_interval(neighbours, rng),
        "error of the mean user": user_interval(np.linalg.norm(y[test], axis=1), rng),
        "below nearest neighbour": bool(found.mean() < neighbours.mean()) if test.any() else None,
        "ridge": penalty,
    }
