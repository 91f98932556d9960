"""What a user's vector says about them: which labels (genres) raise their preference, and how strongly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eagle.config import ProfilesConfig
from eagle.latent.space import LatentSpace

GRADES = ("Loves", "Likes", "Is neutral about", "Dislikes", "Avoids")
GRADE_BOUNDS = (-1.2, -0.4, 0.4, 1.2)


@dataclass(frozen=True)
class Taste:
    """What z_u says about a user, relative to the average user."""

    liked: tuple[str, ...]  # strongest first
    disliked: tuple[str, ...]  # strongest first
    grades: tuple[
        tuple[str, tuple[str, ...]], ...
    ]  # all genres by grade ("Loves" .. "Avoids"), strongest first; empty grades left out
    strength: float  # spread of the genre effects, 1 = that of the typical user
    newer: float  # effect of a late against an early year, in SD over users
    generosity: float  # mean rating less the overall mean, stars
    ratings: int

    @property
    def short(self) -> str:
        """``User likes a, b. Dislikes c, d.``; a side without labels is left out."""
        likes = [f"User likes {', '.join(self.liked)}."] if self.liked else []
        dislikes = [f"{'Dislikes' if likes else 'User dislikes'} {', '.join(self.disliked)}."] if self.disliked else []
        return " ".join([*likes, *dislikes]) or "Little is known of the user."


def rank_genres(
    effects: np.ndarray, genres: Sequence[str], liked: int, disliked: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (liked, disliked), strongest first; with few genres both get fewer, and none is in both."""
    order = np.argsort(-effects, kind="stable")
    likes = order[: min(liked, (len(genres) + 1) // 2)]
    dislikes = order[len(likes) :][::-1][:disliked]
    return tuple(genres[g] for g in likes), tuple(genres[g] for g in dislikes)


def grade_genres(effects: np.ndarray, genres: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Sort genres into grades by their effects (g,) in SD over users and genres; five grades told more than likes and
    dislikes [M].
    """
    order = np.argsort(-effects, kind="stable")
    grade = np.digitize(-effects, GRADE_BOUNDS)
    graded = ((name, tuple(genres[g] for g in order if grade[g] == rank)) for rank, name in enumerate(GRADES))
    return tuple((name, members) for name, members in graded if members)


def _standard(values: np.ndarray) -> np.ndarray:
    spread = float(values.std())
    standard: np.ndarray = (values - values.mean()) / (spread if spread > 0 else 1.0)
    return standard


def tastes(
    latent: LatentSpace,
    effects: Mapping[str, np.ndarray],
    year_effect: np.ndarray,
    history: pd.DataFrame,
    config: ProfilesConfig,
) -> list[Taste]:
    """Return every user's taste, in the order of ``latent.users``; ``history`` holds their fit rows (user, rating)."""
    own = latent.user_vectors.astype(np.float64)
    personal = own - own[latent.train_users].mean(axis=0)  # (n_users, d): against the average train user
    genres = list(effects)
    by_genre = (
        personal @ np.array([effects[g] for g in genres], np.float64).reshape(-1, own.shape[1]).T
    )  # (n_users, n_genres)
    spread = by_genre.std(axis=1)
    scale = float(by_genre[latent.train_users].std()) or 1.0
    newer = _standard(personal @ year_effect)
    grouped = history.groupby("user")["rating"]
    mean, count = grouped.mean(), grouped.size()
    overall = float(history["rating"].mean())
    found = []
    for row, user in enumerate(latent.users):
        liked, disliked = rank_genres(by_genre[row], genres, config.liked, config.disliked)
        strength = float(spread[row] / (np.median(spread) or 1.0))
        generosity = float(mean.get(user, overall)) - overall
        grades = grade_genres(by_genre[row] / scale, genres)
        found.append(Taste(liked, disliked, grades, strength, float(newer[row]), generosity, int(count.get(user, 0))))
    return found
