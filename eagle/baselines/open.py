"""Open the simple agents on a project's files: random actions, linear rule with and without repetition, softmax policy."""

from __future__ import annotations

import numpy as np

from eagle.artifacts import read_table
from eagle.baselines.rules import LinearRule, RandomActions, mean_shifts
from eagle.baselines.softmax import SoftmaxPolicy, Tastes, fit_softmax
from eagle.config import UtilityConfig
from eagle.policies.base import Agent
from eagle.policies.prompt import state_genres
from eagle.project import Project
from eagle.training.setup import Material, load_material

#: alpha of the softmax policy, SD of U per nat: METHOD's prototype.
SOFTMAX_KL = 0.1


def open_baselines(utility: UtilityConfig, project: Project, *, repeat: bool = False) -> dict[str, Agent]:
    """Return agents by name: ``random``, ``linear_rule`` (no action twice unless ``repeat``), ``linear_rule_repeated``, ``softmax_policy``.

    All learn from the cached transitions of training anchors and from training users only.
    """
    material = load_material(utility, project)
    shifts = mean_shifts(material.steps)
    agents: list[Agent] = [
        RandomActions(material.listed, repeat),
        LinearRule(material.listed, shifts, material.user_vector, repeat),
        LinearRule(material.listed, shifts, material.user_vector, True, "linear_rule_repeated"),
        fit_softmax_policy(material, project, repeat=repeat),
    ]
    return {agent.name: agent for agent in agents}


def fit_softmax_policy(material: Material, project: Project, *, repeat: bool) -> SoftmaxPolicy:
    """Fit the softmax policy on the one-step values of all training (anchor, user) pairs over the shared actions."""
    table = read_table(project.profiles, "profiles")
    users = table["user"].astype(str)
    tastes = Tastes(dict(zip(users, map(tuple, table["liked"]), strict=True)), dict(zip(users, map(tuple, table["disliked"]), strict=True)))
    source = material.source("train", single_cell_weight=0.12, horizon=1, lookahead=1, repeat=True)
    actions = tuple(a for a in material.listed.shared if a in source.values.index)
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
