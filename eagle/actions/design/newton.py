"""A Newton step of many designs at once, over their support and the rows that ask to join it.

Minimises -log det V(w) + r sum(w) over w >= 0, whose optimum is the design. Gradient r - g, Hessian H_ab = (a^T V^-1
b)^2. Since H w = g, the full step is w + d = 2 w - r H^-1 1: one solve with a right side of ones. Weights that it would
turn negative are dropped; it is shortened until log det V rises, and not taken where it does not. Rows of weight 0 take
part only while they violate the certificate, so a short enough step always rises (Bertsekas 1982).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eagle.actions.design.batch import Batch, Index, moments
from eagle.actions.design.coordinates import Array

SHARES = (1.0, 0.25, 1 / 16)  # of the full step, tried in this order
# supports are padded to a multiple of it and solved together; the numbers do not depend on what stands beside them
PADDING = 8
RIDGE = 1e-12  # of the largest curvature: more members than r (r + 1) / 2 have no unique optimum


def newton_step(batch: Batch, sets: Index, tolerance: float) -> NDArray[np.bool_]:
    """Move the weights of ``sets`` (row numbers of the batch), whose norms must be fresh; return which moved (s,).

    The batch's inverses and norms are those of before.
    """
    violated = batch.norms[sets] > batch.ranks[sets, None] * (1.0 + tolerance)
    members = (batch.weights[sets] > 0) | violated
    sizes = -(-members.sum(axis=1) // PADDING) * PADDING
    moved = np.zeros(len(sets), dtype=bool)
    for size in np.unique(sizes):
        chosen = sizes == size
        moved[chosen] = _step(batch, sets[chosen], members[chosen], int(size))
    return moved


def _step(batch: Batch, sets: Index, members: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    place = np.argsort(~members, axis=1, kind="stable")[:, :size]  # members first
    real = np.take_along_axis(members, place, axis=1)
    held = np.take_along_axis(batch.weights[sets], place, axis=1)
    direction = np.where(real, held - batch.ranks[sets, None] * _response(batch, sets, place, real), 0.0)
    before, moved = _log_volume(batch, sets, batch.weights[sets]), np.zeros(len(sets), dtype=bool)
    for share in SHARES:
        left = np.flatnonzero(~moved)
        weights = np.zeros((len(left), batch.weights.shape[1]))
        np.put_along_axis(weights, place[left], np.maximum(held[left] + share * direction[left], 0.0), axis=1)
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        better = _log_volume(batch, sets[left], weights) > before[left]
        batch.weights[sets[left[better]]] = weights[better]
        moved[left[better]] = True
    return moved


def _response(batch: Batch, sets: Index, place: Index, real: NDArray[np.bool_]) -> Array:
    """Return H^-1 1 (s, m) over the members at ``place`` (s, m); a padded place answers 1."""
    rows = np.take_along_axis(batch.rows[sets], place[:, :, None], axis=1) * real[:, :, None]
    curvature = np.matmul(np.matmul(rows, batch.inverse[sets]), rows.transpose(0, 2, 1)) ** 2
    diagonal = np.arange(place.shape[1])
    curvature[:, diagonal, diagonal] += np.where(real, RIDGE * curvature.max(axis=(1, 2))[:, None], 1.0)
    return np.linalg.solve(curvature, np.ones((*place.shape, 1)))[:, :, 0]


def _log_volume(batch: Batch, sets: Index, weights: Array) -> Array:
    """Return log det V (s,) of other weights (s, K) for these sets; -infinity where they span less."""
    sign, value = np.linalg.slogdet(moments(batch.rows[sets], weights, batch.ranks[sets]))
    return np.where(sign > 0, value, -np.inf)
