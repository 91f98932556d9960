"""A small model of the environment in the latent space: where an action takes a state on average.

1. The paper has no such model: it samples the environment language model at every step. A cached transition answers for
   one anchor only and one sample of it is mostly noise, so the table is pooled over anchors: z' = z + c + A z + b_a +
   D_a z.
2. b_a (the action's mean shift) is shrunk toward zero by its own weight, D_a (how the shift depends on the state) more
   strongly; A and c (what rewriting does whatever is asked: forgetting, drift) are shared by all actions.
3. The strength of D_a is chosen by leaving groups of anchors out of the cached training transitions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eagle.training.steps import CachedSteps

#: Ridge of the shared map, in rows; of an action's mean shift, in rows (a shift seen once keeps 1/(1 + 1) of itself).
SHARED_RIDGE, SHIFT_RIDGE = 10.0, 1.0
#: Candidates for the ridge of an action's own slopes, in rows; infinity leaves them out.
SLOPE_RIDGES = (3.0, 10.0, 30.0, 100.0, np.inf)


@dataclass(frozen=True)
class LatentDynamics:
    """Affine next-state means per action. ``slope`` (n_actions, d, d), ``shift`` (n_actions, d)."""

    slope: np.ndarray
    shift: np.ndarray
    slope_ridge: float
    explained: float  # share of the variance of z' - z between left-out rows explained by the chosen model

    def next_means(self, states: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Return mean next vectors (n, k, d) of ``states`` (n, d) under the actions with indices ``actions`` (k,)."""
        return states[:, None] + self.shift[actions] + np.einsum("kde,ne->nkd", self.slope[actions], states)


def _fit(steps: CachedSteps, slope_ridge: float) -> tuple[np.ndarray, np.ndarray]:
    z, change = steps.state_vector, steps.next_vector - steps.state_vector
    centre, width = z.mean(0), z.shape[1]
    scale = z.std() + 1e-12
    x = (z - centre) / scale
    gram = x.T @ x + SHARED_RIDGE * np.eye(width)
    common = np.linalg.solve(gram, x.T @ (change - change.mean(0)))  # (d, d)
    rest = change - change.mean(0) - x @ common
    n_actions = len(steps.vocabulary)
    slope, shift = np.repeat(common.T[None], n_actions, 0), np.repeat(change.mean(0)[None], n_actions, 0)
    for action in range(n_actions):
        rows = steps.action == action
        if not rows.any():
            continue
        if np.isinf(slope_ridge):
            shift[action] += rest[rows].sum(0) / (rows.sum() + SHIFT_RIDGE)
            continue
        own = np.column_stack([np.ones(rows.sum()), x[rows]])
        penalty = np.diag([SHIFT_RIDGE, *[slope_ridge] * width])
        answer = np.linalg.solve(own.T @ own + penalty, own.T @ rest[rows])  # (1 + d, d)
        shift[action] += answer[0]
        slope[action] += answer[1:].T
    slope = slope / scale
    return slope, shift - slope @ centre


def _left_out_error(steps: CachedSteps, slope_ridge: float, folds: int) -> float:
    """Mean squared error of the predicted change on anchors that the model did not see."""
    anchors = np.array(sorted(set(steps.anchor)))
    total = 0.0
    for fold in range(folds):
        held = np.isin(steps.anchor, anchors[fold::folds])
        slope, shift = _fit(steps.of(np.setdiff1d(anchors, anchors[fold::folds])), slope_ridge)
        z, action = steps.state_vector[held], steps.action[held]
        predicted = shift[action] + np.einsum("nde,ne->nd", slope[action], z)
        total += float(((steps.next_vector[held] - z - predicted) ** 2).sum())
    return total / len(steps)


def fit_dynamics(steps: CachedSteps) -> LatentDynamics:
    """Fit the model to cached transitions, the strength of the slopes chosen on left-out anchors."""
    folds = min(6, len(set(steps.anchor)))
    if folds < 2:
        return LatentDynamics(*_fit(steps, np.inf), np.inf, 0.0)
    errors = {ridge: _left_out_error(steps, ridge, folds) for ridge in SLOPE_RIDGES}
    best = min(errors, key=errors.__getitem__)
    change = steps.next_vector - steps.state_vector
    spread = float(((change - change.mean(0)) ** 2).sum()) / len(steps)
    return LatentDynamics(*_fit(steps, best), best, 1 - errors[best] / max(spread, 1e-12))
