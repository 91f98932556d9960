"""Fit the softmax policy on what training reads."""

from __future__ import annotations

import numpy as np

from eagle.config import AllActionPhase
from eagle.methods.softmax import SoftmaxPolicy, Tastes, fit_softmax
from eagle.policies.prompt import state_genres
from eagle.training.setup import TrainingData

#: alpha of the softmax policy, SD of U per nat [M: a prototype].
SOFTMAX_KL = 0.1


def fit_softmax_policy(material: TrainingData, *, repeat: bool) -> SoftmaxPolicy:
    """Fit the softmax policy on the one-step values of all training (anchor, user) pairs over the shared actions."""
    tastes, weight = Tastes.of(material.profile_table), AllActionPhase().single_cell_weight
    source = material.source("train", material.utility, single_cell_weight=weight, horizon=1, lookahead=1, used="open")
    actions = tuple(a for a in material.candidates.shared if a in source.values.index)
    named = {g for found in (tastes.liked, tastes.disliked) for genres in found.values() for g in genres}
    genres = tuple(sorted(named.union(*(state_genres(str(t)) for t in set(material.steps.state_text)))))
    features: list[np.ndarray] = []
    values: list[np.ndarray] = []
    for anchor in source.anchors:
        state = source.state(anchor)
        following = source.values.next_vectors(state, actions)  # (K, d)
        values.append(material.utility.matrix(following.astype(np.float32), list(source.users)).T)  # (n_users, K)
        features.extend(tastes.features(genres, user, state.text) for user in source.users)
    weights = fit_softmax(np.stack(features), np.concatenate(values).astype(np.float64), SOFTMAX_KL)
    return SoftmaxPolicy(actions, genres, tastes, weights, repeat=repeat)
