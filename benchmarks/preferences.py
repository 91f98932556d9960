"""Our least squares on the problem that `implicit` states: which items a user likes, every other pair a 0 of small
weight.

implicit minimises c sum (1 - <p_u, q_i>)^2 over liked pairs + sum <p_u, q_i>^2 over all others + l (|p|^2 + |q|^2).
Divided by c, that is ours with missing weight 1 / c and penalty l / c. Both take as many sweeps of three steps of
conjugate gradients; the loss that they reach stands in the note.
"""

from __future__ import annotations

import importlib.util
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.als import sampled
from benchmarks.machine import cores
from benchmarks.records import Found, Setting, alone, compared, interleaved, missing, rounded
from eagle.core.project import Project
from eagle.latent.least_squares import Missing, improve, pack
from eagle.latent.ratings import Ratings

LIKED = 4.0  # stars
CONFIDENCE, PENALTY, SWEEPS, STEPS = 10.0, 5.0, 6, 3
SETS = {"tiny": ("tiny", 4), "full": ("1m", 64)}  # and dimensions


def likes_of(drawn: Any) -> Ratings:
    """Return the liked pairs as ratings of 1."""
    liked = drawn["rating"] >= LIKED
    names = [[str(n) for n in range(number)] for number in drawn["shape"]]
    return Ratings.from_pairs(drawn["user"][liked], drawn["item"][liked], np.ones(int(liked.sum()), np.float32), *names)


def ours(likes: Ratings, dimension: int, setting: Setting) -> tuple[float, float]:
    """Return seconds per sweep and the loss reached."""
    drawn = np.random.default_rng(0)
    users, items = (0.01 * drawn.random((number, dimension), np.float32) for number in likes.sums.shape)
    at_user, at_item = (np.zeros(number) for number in likes.sums.shape)
    penalty = np.full(dimension, PENALTY / CONFIDENCE)
    start = setting.now()
    by_user, by_item = pack(likes), pack(likes.transposed)
    for _ in range(SWEEPS):
        users = improve(by_user, items, at_item, penalty, users, STEPS, Missing(1 / CONFIDENCE, at_user, at_item))
        items = improve(by_item, users, at_user, penalty, items, STEPS, Missing(1 / CONFIDENCE, at_item, at_user))
    return (setting.now() - start) / SWEEPS, loss(likes, users, items)


def implicit(likes: Ratings, dimension: int, setting: Setting) -> tuple[float, float]:
    """Return seconds per sweep and the loss reached."""
    from implicit.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    weights = sparse.csr_matrix(
        (CONFIDENCE * likes.sums.data, likes.sums.indices, likes.sums.indptr), shape=likes.sums.shape
    )
    options = {
        "factors": dimension,
        "regularization": PENALTY,
        "iterations": SWEEPS,
        "num_threads": cores(),
        "random_state": 0,
    }
    with threadpool_limits(1, "blas"):  # as implicit asks for
        model = AlternatingLeastSquares(**options)
        model.cg_steps = STEPS
        start = setting.now()
        model.fit(weights, show_progress=False)
        return (setting.now() - start) / SWEEPS, loss(likes, model.user_factors, model.item_factors)


def loss(likes: Ratings, users: np.ndarray, items: np.ndarray) -> float:
    """Return implicit's objective per liked pair."""
    pairs = likes.sums.tocoo()
    said = np.einsum("nk,nk->n", users[pairs.coords[0]], items[pairs.coords[1]]).astype(np.float64)
    every = np.vdot((users.T @ users).astype(np.float64), (items.T @ items).astype(np.float64))
    size = sum(np.vdot(part, part).astype(np.float64) for part in (users, items))
    return float((CONFIDENCE * ((1 - said) ** 2).sum() + every - (said**2).sum() + PENALTY * size) / len(said))


def measure(setting: Setting) -> Found:
    """Return als_implicit."""
    name, dimension = SETS[setting.size]
    if not (Project(setting.project).catalogue).is_dir():
        return Found([missing("als_implicit", "no data/catalogue to sample from: make run writes it")])
    with tempfile.TemporaryDirectory() as folder, np.load(sampled(name, setting, Path(folder))) as drawn:
        likes = likes_of(drawn)
    sides = {"ours": partial(ours, likes, dimension, setting)}
    if importlib.util.find_spec("implicit"):
        sides["implicit"] = partial(implicit, likes, dimension, setting)
    found = interleaved(sides, setting.runs)
    seconds = {side: [run[0] for run in done] for side, done in found.items()}
    note = "loss per liked pair " + ", ".join(f"{side} {rounded(done[0][1])}" for side, done in found.items())
    unit = f"{setting.seconds} per sweep of {likes.sums.nnz:,} liked pairs, {dimension} dimensions"
    if "implicit" not in found:
        return Found(
            [
                alone(
                    "als_implicit",
                    unit,
                    seconds["ours"],
                    note=f"{note}; implicit is not installed: make bench installs it",
                )
            ]
        )
    return Found(
        [compared("als_implicit", unit, seconds["ours"], seconds["implicit"], "implicit", inverse=True, note=note)]
    )
