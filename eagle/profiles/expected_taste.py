"""The taste that a profile tells of: E[z_u | profile].

1. The paper values an action by the user's own vector, and lets the policy see the profile only.
2. Differs: what the policy can do for a user is no better than what its prompt says of them. Two users with one profile
   and different vectors pull it two ways, and the closed form of the objective, which is not linear in the values, then
   learns how often an action is somebody's best instead of which is best on average. U's preference is linear in z_u,
   so the expected value of an action given the profile is its value for E[z_u | profile], a ridge regression of
   training users' vectors on their profiles' genres.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

#: Candidates for the ridge, in users.
RIDGES = np.logspace(-2, 3, 16)


def genre_ranks(profiles: pd.DataFrame) -> np.ndarray:
    """Return ``(n_users, 2 * n_genres)``: how early a profile names a genre as liked, and as disliked; 1 is first, 0
    not at all.

    ``profiles`` has the columns liked and disliked, lists of genres, strongest first.
    """
    named: list[Sequence[Sequence[str]]] = [list(profiles["liked"]), list(profiles["disliked"])]
    genres = sorted({genre for lists in named for genres in lists for genre in genres})
    ranks = np.zeros((len(profiles), 2, len(genres)))
    for side, lists in enumerate(named):
        for user, own in enumerate(lists):
            for place, genre in enumerate(own):
                ranks[user, side, genres.index(genre)] = 1 - place / len(own)
    return ranks.reshape(len(profiles), -1)


def expected_tastes(profiles: pd.DataFrame, tastes: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """Return E[z_u | profile] ``(n_users, d)``, fitted on the users (n_users,) bool that may be learned from.

    ``tastes``: z_u ``(n_users, d)`` in the order of ``profiles``. The ridge is chosen by leaving users out one by one.
    """
    ranks = genre_ranks(profiles)
    if not ranks.shape[1]:
        return np.broadcast_to(tastes[fitted].mean(axis=0), tastes.shape).copy()
    from sklearn.linear_model import RidgeCV  # slow to import, and only training needs it

    expected: np.ndarray = RidgeCV(alphas=RIDGES).fit(ranks[fitted], tastes[fitted]).predict(ranks)
    return expected.reshape(tastes.shape)
