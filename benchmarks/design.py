"""Designs with a certificate: ours against cvxpy's best solver and the best hand-written Frank-Wolfe; the cost over K and n.

The task: 1,000 sets of 100 normal vectors in 16 dimensions, each to max g <= 1.001 n. cvxpy states it as max log det; each of its
solvers gets the loosest tolerance that reaches the certificate. The slow sides do some of the sets, and seconds are per set.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import exchange
from benchmarks.records import Found, Record, Setting, alone, compared, interleaved, rounded
from eagle.actions.design import optimal_designs

TOLERANCE = 1e-3
ROOM = 1.01  # of the certificate, for rounding
BY_HAND = {"away steps": exchange.away_steps, "vertex exchange": exchange.vertex_exchange, "multiplicative": exchange.multiplicative}
SOLVERS: dict[str, tuple[dict[str, Any], ...]] = {  # the loosest first
    "CLARABEL": tuple({"tol_gap_abs": t, "tol_gap_rel": t, "tol_feas": t} for t in (1e-3, 1e-4, 1e-5, 1e-6, 1e-8)),
    "SCS": tuple({"eps": t, "max_iters": 100_000} for t in (1e-3, 1e-4, 1e-5, 1e-6)),
}


@dataclass(frozen=True)
class Size:
    """Sets of ``count`` vectors in ``width`` dimensions; how many of them ours, the hand-written ones and cvxpy solve."""

    count: int
    width: int
    sets: int
    by_hand: int
    cvxpy: int
    curve: tuple[tuple[int, int, int], ...]  # (sets, K, n)


SIZES = {
    "tiny": Size(12, 3, 6, 2, 1, ((2, 12, 3),)),
    "full": Size(
        100, 16, 1_000, 50, 5, (*((200, k, 16) for k in (25, 50, 100, 200, 400, 800)), *((100, 100, n) for n in (4, 8, 16, 32, 64)))
    ),
}


def sets_of(sets: int, count: int, width: int) -> np.ndarray:
    """Return normal vectors (sets, count, width)."""
    return np.random.default_rng([sets, count, width]).normal(size=(sets, count, width))


def excess(vectors: np.ndarray, weights: np.ndarray) -> float:
    """Return max g / n - 1 of one set, from its weights alone."""
    spread = np.linalg.inv(vectors.T @ (weights[:, None] * vectors))
    return float(np.einsum("kn,nm,km->k", vectors, spread, vectors).max() / vectors.shape[1] - 1)


def by_cvxpy(vectors: np.ndarray, solver: str, options: dict[str, Any]) -> np.ndarray:
    """Return the weights that a solver of cvxpy finds."""
    import cvxpy

    weights = cvxpy.Variable(len(vectors), nonneg=True)
    problem = cvxpy.Problem(cvxpy.Maximize(cvxpy.log_det(vectors.T @ cvxpy.diag(weights) @ vectors)), [cvxpy.sum(weights) == 1])
    problem.solve(solver=solver, **options)
    found = np.maximum(weights.value, 0.0)
    return found / found.sum()


def _certified(vectors: np.ndarray, solve: Callable[[np.ndarray], np.ndarray]) -> bool:
    return excess(vectors, solve(vectors)) <= TOLERANCE * ROOM


def cvxpy_sides(vectors: np.ndarray) -> Iterator[tuple[str, Callable[[np.ndarray], np.ndarray]]]:
    """Yield each solver that is installed, with the loosest options that certify all ``vectors`` (sets, K, n)."""
    import cvxpy

    for solver, ladder in SOLVERS.items():
        if solver not in cvxpy.installed_solvers():
            continue
        for options in ladder:

            def solve(one: np.ndarray, solver: str = solver, options: dict[str, Any] = options) -> np.ndarray:
                return by_cvxpy(one, solver, options)

            try:
                reached = all(_certified(one, solve) for one in vectors)
            except cvxpy.SolverError:
                reached = False
            if reached:
                yield solver, solve
                break


def _timed(setting: Setting, solve: Callable[[np.ndarray], Any], vectors: np.ndarray) -> float:
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
    sides: dict[str, Callable[[], float]] = {"ours": lambda: _ours(setting, vectors)}
    for name, solve in BY_HAND.items():
        sides[name] = lambda solve=solve: _timed(setting, lambda one: solve(one, TOLERANCE), vectors[: size.by_hand])  # type: ignore[misc]
    solvers = dict(cvxpy_sides(vectors[: size.cvxpy])) if importlib.util.find_spec("cvxpy") else {}
    for name, solve in solvers.items():
        sides[name] = lambda solve=solve: _timed(setting, solve, vectors[: size.cvxpy])  # type: ignore[misc]
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
    return compared("design_by_hand", unit, found["ours"], found[best], best, inverse=True, note=f"best runs of the others: {others}")


def _against_cvxpy(unit: str, found: dict[str, list[float]], solvers: dict[str, Any], size: Size) -> Record:
    if not solvers:
        return alone("design", unit, found["ours"], note="cvxpy or a solver for it is not installed: make bench installs them")
    best = min(solvers, key=lambda name: min(found[name]))
    note = f"cvxpy on {size.cvxpy} of the {size.sets} sets; " + ", ".join(f"{name} {rounded(min(found[name]))}" for name in solvers)
    return compared("design", unit, found["ours"], found[best], f"cvxpy, {best}", inverse=True, note=note)
