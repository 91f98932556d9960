"""A softmax policy over the shared actions, linear in what the agent's prompt says, trained on the cached values that
EAGLE is trained on, with each user's own vector in the place of the taste that a profile lets expect.

Features: liked genres, disliked genres, genres of the present text, each multi-hot, and a constant. The objective is
EAGLE's all-action one, sum_a pi(a) Q(a) - alpha KL(pi || uniform), in closed form over all cached (anchor, user) pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from eagle.actions.candidate_list import is_in
from eagle.policies.drawing import drawn
from eagle.policies.prompt import state_genres
from eagle.profiles.stored import Profiles

if TYPE_CHECKING:
    from eagle.environment.steering import Observation

#: Ridge on the weights, in pairs: keeps rare genres from being taken for certain.
WEIGHT_DECAY = 1e-3


@dataclass(frozen=True)
class Tastes:
    """What the profiles say about each user: liked and disliked genres."""

    liked: Mapping[str, tuple[str, ...]]
    disliked: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, table: pd.DataFrame) -> Tastes:
        """Read them off the table of :class:`eagle.profiles.stored.Profiles`."""
        profiles = Profiles(table)
        return cls(profiles.liked, profiles.disliked)

    def features(self, genres: Sequence[str], user: str, text: str) -> np.ndarray:
        """Return the feature vector ``(3 * n_genres + 1,)`` of one (state, user)."""
        place = {genre: i for i, genre in enumerate(genres)}
        x = np.zeros(3 * len(genres) + 1)
        for block, named in enumerate((self.liked.get(user, ()), self.disliked.get(user, ()), state_genres(text))):
            for genre in named:
                if genre in place:
                    x[block * len(genres) + place[genre]] = 1.0
        x[-1] = 1.0
        return x


def fit_softmax(features: np.ndarray, values: np.ndarray, kl_coefficient: float) -> np.ndarray:
    """Return weights ``(n_features, n_actions)`` that maximise the all-action objective by L-BFGS.

    ``features`` (n_pairs, n_features), ``values`` Q (n_pairs, n_actions) in SD of U.
    """
    n_pairs, n_actions = values.shape

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(features.shape[1], n_actions)
        logits = features @ weights
        logits -= logits.max(1, keepdims=True)
        log_pi = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        pi = np.exp(log_pi)
        gain = values - kl_coefficient * (log_pi + np.log(n_actions))  # (n_pairs, n_actions)
        mean = (pi * gain).sum(1, keepdims=True)
        gradient = features.T @ (pi * (gain - mean)) / n_pairs
        loss = -float(mean.mean()) + 0.5 * WEIGHT_DECAY * float(flat @ flat)
        return loss, -gradient.ravel() + WEIGHT_DECAY * flat

    start = np.zeros(features.shape[1] * n_actions)
    answer = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return np.asarray(answer.x).reshape(features.shape[1], n_actions)


@dataclass(frozen=True)
class SoftmaxPolicy:
    """Acts by the fitted weights: a draw with ``temperature``, or the best action at temperature 0."""

    actions: tuple[str, ...]
    genres: tuple[str, ...]
    tastes: Tastes
    weights: np.ndarray  # (n_features, n_actions)
    temperature: float = 0.0
    repeat: bool = False
    name: str = "softmax_policy"

    def act(self, observations: Sequence[Observation], seeds: Sequence[int]) -> list[str]:
        """Return one shared action for each observation."""
        chosen = []
        for observation, seed in zip(observations, seeds, strict=True):
            scores = self.tastes.features(self.genres, observation.user, observation.text) @ self.weights
            allowed = np.array([self.repeat or not is_in(a, observation.history) for a in self.actions])
            if allowed.any():
                scores = np.where(allowed, scores, -np.inf)
            chosen.append(self.actions[drawn(scores, self.temperature, seed)])
        return chosen
