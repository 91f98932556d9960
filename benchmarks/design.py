"""Designs with a certificate: ours against cvxpy's best solver and the best hand-written Frank-Wolfe; the cost over K
and n.

The task: 1,000 sets of 100 normal vectors in 16 dimensions, each to max g <= 1.001 n. cvxpy states it as max log det V
and as its dual; each solver gets the loosest tolerance that reaches the certificate. The slow sides do some of the
sets, and seconds are per set.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from benchmarks import exchange
from benchmarks.records import Found, Record, Setting, alone, compared, interleaved, rounded
from eagle.actions.design import optimal_designs

Solve = Callable[[np.ndarray], np.ndarray]  # vectors (K, n) in, weights (K,) out
TOLERANCE = 1e-3
ROOM = 1.01  # of the certificate, for rounding
BY_HAND = {
    "away steps": exchange.away_steps,
    "vertex exchange": exchange.vertex_exchange,
    "multiplicative": exchange.multiplicative,
}
SOLVERS: dict[str, tuple[dict[str, Any], ...]] = {  # the loosest first
    "CLARABEL": tuple({"tol_gap_abs": t, "tol_gap_rel": t, "tol_feas": t} for t in (1e-3, 1e-4, 1e-5, 1e-6, 1e-8)),
    "SCS": tuple({"eps": t, "max_iters": 100_000} for t in (1e-3, 1e-4, 1e-5, 1e-6)),
}


@dataclass(frozen=True)
class Size:
    """Sets of ``count`` vectors in ``width`` dimensions.

    How many of them ours, the hand-written ones and cvxpy solve.
    """

    count: int
    width: int
    sets: int
    by_hand: int
    cvxpy: int
    curve: tuple[tuple[int, int, int], ...]  # (sets, K, n)


SIZES = {
    "tiny": Size(12, 3, 6, 2, 1, ((2, 12, 3),)),
    "full": Size(
        100,
        16,
        1_000,
        50,
        5,
        (*((200, k, 16) for k in (25, 50, 100, 200, 400, 800)), *((100, 100, n) for n in (4, 8, 16, 32, 64))),
    ),
}


def sets_of(sets: int, count: int, width: int) -> np.ndarray:
    """Return normal vectors (sets, count, width)."""
    return np.random.default_rng([sets, count, width]).normal(size=(sets, count, width))


def excess(vectors: np.ndarray, weights: np.ndarray) -> float:
    """Return max g / n - 1 of one set, from its weights alone."""
    spread = np.linalg.inv(vectors.T @ (weights[:, None] * vectors))
    return float(np.einsum("kn,nm,km->k", vectors, spread, vectors).max() / vectors.shape[1] - 1)


def as_design(vectors: np.ndarray, **options: Any) -> np.ndarray:
    """Return the weights that maximise log det V, as cvxpy's solver finds them."""
    import cvxpy

    weights = cvxpy.Variable(len(vectors), nonneg=True)
    volume = cvxpy.log_det(vectors.T @ cvxpy.diag(weights) @ vectors)
    cvxpy.Problem(cvxpy.Maximize(volume), [cvxpy.sum(weights) == 1]).solve(**options)
    return _shares(weights.value)


def as_ellipsoid(vectors: np.ndarray, **options: Any) -> np.ndarray:
    """Return the weights as multipliers of the dual: the smallest ellipsoid about the vectors."""
    import cvxpy

    width = vectors.shape[1]
    shape = cvxpy.Variable((width, width), PSD=True)
    inside = cvxpy.sum(cvxpy.multiply(vectors @ shape, vectors), axis=1) <= width
    cvxpy.Problem(cvxpy.Minimize(-cvxpy.log_det(shape)), [inside]).solve(**options)
    return _shares(inside.dual_value)


def _shares(weights: np.ndarray | None) -> np.ndarray:
    """Return what a solver found as weights that sum to 1."""
    if weights is None:
        from cvxpy import SolverError

        raise SolverError("no solution")
    positive = np.maximum(weights, 0.0)
    return positive / positive.sum()


def cvxpy_sides(vectors: np.ndarray) -> Iterator[tuple[str, Solve]]:
    """Yield each statement with each solver that is installed, and the loosest options that certify all ``vectors``
    (sets, K, n).
    """
    import cvxpy

    for (solver, ladder), (name, state) in product(
        SOLVERS.items(), (("design", as_design), ("ellipsoid", as_ellipsoid))
    ):
        if solver not in cvxpy.installed_solvers():
            continue
        for options in ladder:
            solve = partial(state, solver=solver, **options)
            try:
                reached = all(excess(one, solve(one)) <= TOLERANCE * ROOM for one in vectors)
            except cvxpy.SolverError:
                reached = False
            if reached:
                yield f"{solver} ({name})", solve
                break


def _timed(setting: Setting, solve: Solve, vectors: np.ndarray) -> float:
    """Return seconds per set of solving the sets one by one."""
    start = setting.now()
    for one in vectors:
        solve(one)
    return (setting.now() - start) / len(vectors)


def _ours(setting: Setting, vectors: np.ndarray) -> float:
    """Return our seconds per set, all sets side by side; their factors are part of the answer and are looked at."""
    start = setting.now()
    designs = optimal_designs(list(vectors), TOLERANCE)
    taken = (setting.now() - start) / len(vectors)
    if not all(excess(one, design.weights) <= TOLERANCE * ROOM for one, design in zip(vectors, designs, strict=True)):
        raise AssertionError("a design is not what its certificate says")
    return taken


def measure(setting: Setting) -> Found:
    """Return design (cvxpy), design_by_hand and the curve of seconds per set over K and n."""
    size = SIZES[setting.size]
    vectors = sets_of(size.sets, size.count, size.width)
    sides: dict[str, Callable[[], float]] = {"ours": partial(_ours, setting, vectors)}
    sides |= {
        name: partial(_timed, setting, partial(solve, tolerance=TOLERANCE), vectors[: size.by_hand])
        for name, solve in BY_HAND.items()
    }
    solvers = dict(cvxpy_sides(vectors[: size.cvxpy])) if importlib.util.find_spec("cvxpy") else {}
    sides |= {name: partial(_timed, setting, solve, vectors[: size.cvxpy]) for name, solve in solvers.items()}
    found = interleaved(sides, setting.runs)
    unit = f"{setting.seconds} per set of {size.count} x {size.width}"
    curve = [
        {"K": count, "n": width, "seconds_per_set": rounded(_ours(setting, sets_of(sets, count, width)))}
        for sets, count, width in size.curve
    ]
    hand = _best(unit, found, BY_HAND)
    return Found([_against_cvxpy(unit, found, solvers, size), hand], {"design": curve})


def _best(unit: str, found: dict[str, list[float]], names: dict[str, Any]) -> Record:
    best = min(names, key=lambda name: min(found[name]))
    others = ", ".join(f"{name} {rounded(min(found[name]))}" for name in names if name != best)
    return compared(
        "design_by_hand",
        unit,
        found["ours"],
        found[best],
        best,
        inverse=True,
        note=f"best runs of the others: {others}",
    )


def _against_cvxpy(unit: str, found: dict[str, list[float]], solvers: dict[str, Any], size: Size) -> Record:
    if not solvers:
        return alone(
            "design", unit, found["ours"], note="cvxpy or a solver for it is not installed: make bench installs them"
        )
    best = min(solvers, key=lambda name: min(found[name]))
    note = f"cvxpy on {size.cvxpy} of the {size.sets} sets; " + ", ".join(
        f"{name} {rounded(min(found[name]))}" for name in solvers
    )
    return compared("design", unit, found["ours"], found[best], f"cvxpy, {best}", inverse=True, note=note)
