"""How a listed action is drawn by its score."""

from __future__ import annotations

import numpy as np


def drawn(scores: np.ndarray, temperature: float, seed: int) -> int:
    """Return a place drawn by exp(score / temperature), scores (K,); at temperature 0 the best, the first of equals.

    By the Gumbel-max trick: equal seeds move together where scores move little.
    """
    if temperature > 0:
        scores = scores / temperature + np.random.default_rng(seed).gumbel(size=len(scores))
    return int(np.argmax(scores))
