"""Users for an encoder of any kind."""

from __future__ import annotations

import numpy as np

from eagle.latent.base import EncoderData
from eagle.latent.least_squares import pack, solve


def fold_in_users(item_vectors: np.ndarray, data: EncoderData) -> np.ndarray:
    """Return z_u (n_users, d) for an encoder of any kind: ridge of each user's ratings on the items' vectors.

    ``item_vectors`` (n_train, d) are those of the training items. A user's own level is fitted beside z_u and left
    out; penalties are encoder.lambda_user and encoder.lambda_user_bias.
    """
    ratings, settings = data.folding, data.settings
    vectors = np.asarray(item_vectors, np.float64)
    design = np.hstack([np.ones((len(vectors), 1)), vectors])
    penalty = np.append(settings.lambda_user_bias, np.full(vectors.shape[1], settings.lambda_user))
    solved: np.ndarray = solve(pack(ratings), design, np.full(len(vectors), ratings.mean), penalty)[:, 1:]
    return solved
