"""Certified D-optimal designs of many sets at once.

1. Follows Fedorov and Wynn's Frank-Wolfe step with exact line search, and the away steps of Ahipasaoglu, Sun & Todd
   (2008), which make the convergence linear. Equivalence theorem (Kiefer & Wolfowitz 1960): max_a g_a = r at the
   optimum and never below r, where g_a = ||a||^2 in the norm of V^-1 and V = sum_a w_a a a^T, so max_a g_a / r - 1
   bounds the distance from it without knowing it.
2. Differs: all sets step together (one rank-one update of every inverse and every norm per step), from r basis rows of
   weight 1/r.
3. Differs: these steps look for the support; 3 r of them usually find it but for a few rows. From there Newton steps
   over the support (newton) take over, with a few Frank-Wolfe steps between them: two instead of some hundred and fifty
   [M: 100 x 16].
4. After every round V is rebuilt and inverted from the weights; a set leaves only when such fresh norms certify it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eagle.actions.design.batch import Batch, Index
from eagle.actions.design.coordinates import Array, SpanCoordinates
from eagle.actions.design.newton import newton_step
from eagle.core.errors import user_error

FIRST = 3  # Frank-Wolfe steps of the first round, per dimension [M: 2 to 4 take the same time]
BETWEEN = 8  # those of every later one; half a step per dimension where that is more
NEAR = 0.2  # excess below which Newton steps are tried


def step(batch: Batch, wanted: NDArray[np.bool_], tolerance: float) -> None:
    """One Frank-Wolfe or away step of every ``wanted`` set (S,) whose running norms are not yet certified, in place."""
    every = np.arange(len(batch.ids))
    rank = np.maximum(batch.ranks, 1).astype(float)
    toward = np.argmax(batch.norms, axis=1)
    away = np.argmin(np.where(batch.weights > 0, batch.norms, np.inf), axis=1)
    high, low = batch.norms[every, toward], batch.norms[every, away]
    moving = wanted & (high > rank * (1.0 + tolerance))
    forward = high / rank - 1.0 >= 1.0 - low / rank
    chosen = np.where(forward, toward, away)
    norm, held = np.where(forward, high, low), batch.weights[every, chosen]
    with np.errstate(divide="ignore", invalid="ignore"):
        free = (norm / rank - 1.0) / (norm - 1.0)
        full_drop = -held / (1.0 - held)
        size = np.where(forward, free, np.where(norm <= 1.0, full_drop, np.maximum(free, full_drop)))
    dropped = ~forward & (size <= full_drop) & moving
    size = np.where(moving, size, 0.0)
    _move(batch, every, chosen, norm, size)
    batch.weights[every[dropped], chosen[dropped]] = 0.0
    batch.steps += moving


def _move(batch: Batch, every: Index, chosen: Index, norm: Array, size: Array) -> None:
    """V <- (1 - size) V + size a a^T, with the inverse and all norms by the rank-one formula; a size below 0 takes
    weight away.
    """
    row = batch.rows[every, chosen]  # (S, r)
    image = np.matmul(batch.inverse, row[:, :, None])[:, :, 0]
    ratio = size / (1.0 - size)
    share = ratio / (1.0 + ratio * norm)
    grow = 1.0 / (1.0 - size)
    batch.inverse -= share[:, None, None] * image[:, :, None] * image[:, None, :]
    batch.inverse *= grow[:, None, None]
    batch.norms -= share[:, None] * np.matmul(batch.rows, image[:, :, None])[:, :, 0] ** 2
    batch.norms *= grow[:, None]
    batch.weights *= (1.0 - size)[:, None]
    batch.weights[every, chosen] += size


def solve(span: SpanCoordinates, usable: NDArray[np.bool_], tolerance: float) -> tuple[Array, Index]:
    """Return weights (S, K) with max_a g_a <= (1 + tolerance) r over the usable rows (S, K), and the steps taken (S,).

    What a set gets does not depend on the sets beside it. The number of Frank-Wolfe steps alone is bounded by
    O(r log log K + r / tolerance) (Todd 2016, ch. 3); above a generous multiple of it, which only a tolerance beyond
    double precision reaches, an EagleError says so.
    """
    batch = Batch(span, usable)
    weights, steps = np.zeros_like(batch.weights), np.zeros_like(batch.steps)
    aim = 0.99 * tolerance  # leaves room for the rounding of the final check
    limit = 100 * (batch.ranks.max(initial=0) + 1) * (1 / tolerance + 10)
    batch.round = FIRST * batch.ranks
    while True:
        for count in range(int(batch.round.max())):
            step(batch, count < batch.round, aim)
        batch.refresh()
        done = batch.excess() <= aim
        weights[batch.ids[done]], steps[batch.ids[done]] = batch.weights[done], batch.steps[done]
        batch.keep(~done)
        if not len(batch.ids):
            return weights, steps
        if batch.steps.max() > limit:
            raise user_error(
                f"{len(batch.ids)} action sets did not reach the design's tolerance",
                found=f"factor 1 + {batch.excess().max():.2g} after {batch.steps.max()} steps",
                expected=f"at most 1 + {tolerance:g}",
                mend="raise design.tolerance",
            )
        near = np.flatnonzero(batch.excess() < NEAR)
        moved = newton_step(batch, near, tolerance)
        batch.steps[near] += 1
        batch.round = np.maximum(BETWEEN, batch.ranks // 2)
        batch.round[near[moved]] = 0
        batch.refresh()
