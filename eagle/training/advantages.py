"""From rewards to advantages: GAE with a value baseline, or returns against the other rollouts of the same pair."""

from __future__ import annotations

import numpy as np


def gae(rewards: np.ndarray, values: np.ndarray, gamma: float, lam: float) -> np.ndarray:
    """Return generalised advantages ``(n, H)`` (Schulman et al. 2016).

    ``rewards`` (n, H); ``values`` (n, H) of the states before each action, the end counting 0.
    """
    after = np.concatenate([values[:, 1:], np.zeros((len(values), 1))], axis=1)
    surprise = rewards + gamma * after - values
    found = np.zeros_like(surprise)
    carried = np.zeros(len(rewards))
    for step in reversed(range(rewards.shape[1])):
        carried = surprise[:, step] + gamma * lam * carried
        found[:, step] = carried
    return found


def returns(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Return discounted sums of the rewards still to come ``(n, H)``."""
    return gae(rewards, np.zeros_like(rewards), gamma, 1.0)


def leave_one_out(gains: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return ``gains`` (n, H) less the mean of the other rows of the same group; 0 where a row is alone."""
    found = np.zeros_like(gains)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        if len(rows) > 1:
            total = gains[rows].sum(0)
            found[rows] = gains[rows] - (total - gains[rows]) / (len(rows) - 1)
    return found
