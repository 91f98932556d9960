"""Factors by weighted ALS: ours against cmfrec, the fastest kept library that states the same problem and runs beside
our pandas.

Both fit mean + user bias + item bias + <p_u, q_i> with the same penalties in float32 by a few steps of conjugate
gradients, and both are judged on the same held-out ratings. Each makes the sweeps that it needs to be within 0.001
stars of where it ends (SWEEPS). Sets have the sizes of MovieLens (ratings). Every fit runs in a process of its own,
which loads the ratings from a file, because memory is the process's peak; only the fit is timed.
"""

from __future__ import annotations

import importlib.util
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.isolated import apart, arguments
from benchmarks.machine import cores
from benchmarks.records import GOALS, Found, Record, Setting, alone, compared, interleaved, missing, rounded
from eagle.config import FactorsConfig
from eagle.core.project import Project

DIMENSION = {"tiny": 4, "100k": 64, "1m": 64, "10m": 64, "25m": 64}
PENALTY = {"100k": 20.0}  # of factors [M: held-out error with 64 dimensions is lowest near it]
OTHERWISE = 40.0  # [M: the same, at a million ratings; below 30 more sweeps make it worse]
SWEEPS = {"ours": 6, "cmfrec": 10}  # [M: a million ratings; cmfrec's 10 are its default]
ONCE = ("25m",)  # its fits take minutes
PEER = "cmfrec"
EQUAL = 0.002  # stars that our held-out RMSE may be above the peer's and count as equal quality


def sample_to(catalogue: Path, name: str, target: Path) -> int:
    """Sample the set ``name`` from the model of the ratings in ``catalogue``, save it; return how many ratings are to
    learn from.
    """
    from benchmarks.ratings import SIZES, sample, tastes_of
    from eagle.data.catalogue import read_catalogue
    from eagle.latent.ratings import Ratings

    found = read_catalogue(catalogue)
    real = Ratings.from_table(found.ratings, found.users["user"].tolist(), found.items["item"].tolist())
    drawn = sample(SIZES[name], tastes_of(real), np.random.default_rng(0))
    learned = drawn.learned.sums.tocoo()
    user, item = (part.astype(np.int32) for part in learned.coords)
    np.savez(
        target,
        shape=learned.shape,
        user=user,
        item=item,
        rating=learned.data,
        held_user=drawn.user,
        held_item=drawn.item,
        held_rating=drawn.rating,
    )
    return int(learned.nnz)


def ours(drawn: Any, dimension: int, penalty: float, now: Callable[[], float]) -> tuple[float, np.ndarray]:
    """Return seconds of our fit and the predictions of the held-out pairs."""
    from eagle.latent.factors import fit_factors
    from eagle.latent.ratings import Ratings

    names = [[str(n) for n in range(number)] for number in drawn["shape"]]
    learned = Ratings.from_pairs(drawn["user"], drawn["item"], drawn["rating"], *names)
    config = FactorsConfig(dimension=dimension, regularization=penalty, iterations=SWEEPS["ours"])
    start = now()
    model = fit_factors(learned, config, np.random.default_rng(0))
    return now() - start, model.predict(drawn["held_user"], drawn["held_item"])


def cmfrec(drawn: Any, dimension: int, penalty: float, now: Callable[[], float]) -> tuple[float, np.ndarray]:
    """Return seconds of cmfrec's fit and its predictions; the two bias penalties come first."""
    from cmfrec import CMF
    from scipy import sparse

    from eagle.latent.factors import BIAS_PENALTY

    learned = sparse.coo_matrix((drawn["rating"], (drawn["user"], drawn["item"])), shape=drawn["shape"])
    model = CMF(
        k=dimension,
        lambda_=[BIAS_PENALTY, BIAS_PENALTY, penalty, penalty, penalty, penalty],
        method="als",
        niter=SWEEPS["cmfrec"],
        use_float=True,
        use_cg=True,
        finalize_chol=False,
        precompute_for_predictions=False,
        nthreads=cores(),
        random_state=0,
        verbose=False,
    )
    start = now()
    model.fit(learned)
    return now() - start, model.predict(drawn["held_user"], drawn["held_item"])


SIDES = {"ours": ours, "cmfrec": cmfrec}


def fit(side: str, data: Path, name: str, setting: Setting) -> dict[str, float]:
    """Fit in this process; return seconds, held-out RMSE in stars and the process's peak GiB."""
    from eagle.core.costs import peak_memory_mib

    with np.load(data) as drawn:
        seconds, predicted = SIDES[side](drawn, DIMENSION[name], PENALTY.get(name, OTHERWISE), setting.now)
        error = predicted - drawn["held_rating"]
    return {"seconds": seconds, "rmse": float(np.sqrt(np.mean(error**2))), "peak_gib": peak_memory_mib() / 2**10}


def sampled(name: str, setting: Setting, folder: Path) -> Path:
    """Sample ``name`` into ``folder`` and return the file.

    A child counts its parent's peak as its own, so the parent holds no ratings.
    """
    data = folder / "ratings.npz"
    apart("benchmarks.als", "sample", data, "--catalogue", Project(setting.project).catalogue, "--set", name)
    return data


def _figures(side: str, data: Path, name: str, setting: Setting) -> dict[str, float]:
    found: dict[str, float] = apart("benchmarks.als", side, data, "--set", name, "--clock", setting.clock)
    return found


def taken(name: str, setting: Setting) -> dict[str, list[dict[str, float]]]:
    """Sample one set and let the sides that are installed take turns on it."""
    with tempfile.TemporaryDirectory() as folder:
        data = sampled(name, setting, Path(folder))
        runs = 1 if name in ONCE else setting.runs
        sides = [side for side in SIDES if side == "ours" or importlib.util.find_spec(side)]
        return interleaved({side: partial(_figures, side, data, name, setting) for side in sides}, runs)


def measure(setting: Setting) -> Found:
    """Return als_SIZE for every size, als (the size with the lowest ratio) and als_25m_memory."""
    if not (Project(setting.project).catalogue).is_dir():
        return Found([missing("als", "no data/catalogue to sample from: make run writes it")])
    names = ("tiny",) if setting.size == "tiny" else tuple(name for name in DIMENSION if name in setting.sets)
    records, memory = [], [missing("als_25m_memory", "the set of 25 million ratings was not asked for")]
    for name in names:
        found = taken(name, setting)
        records.append(_speed(name, found, setting))
        if name in ("25m", "tiny"):
            memory = [_memory(found)]
    worst = min(records, key=lambda record: np.inf if record.ratio is None else record.ratio)
    return Found([_as_goal(worst), *records, *memory])


def _column(found: dict[str, list[dict[str, float]]], key: str) -> dict[str, list[float]]:
    return {side: [run[key] for run in runs] for side, runs in found.items()}


def _speed(name: str, found: dict[str, list[dict[str, float]]], setting: Setting) -> Record:
    label, unit, seconds = f"als_{name}", f"{setting.seconds}, {DIMENSION[name]} dimensions", _column(found, "seconds")
    errors = {side: rounded(runs[0]) for side, runs in _column(found, "rmse").items()}
    quality = "held-out RMSE " + ", ".join(f"{side} {error}" for side, error in errors.items())
    if PEER not in found:
        return alone(label, unit, seconds["ours"], note=f"{quality}; {PEER} is not installed: make bench installs it")
    if errors["ours"] > errors[PEER] + EQUAL:
        return alone(label, unit, seconds["ours"], note=f"{quality}: ours is worse, so times are not compared")
    return compared(label, unit, seconds["ours"], seconds[PEER], PEER, inverse=True, note=quality)


def _as_goal(worst: Record) -> Record:
    return replace(
        worst, name="als", goal=GOALS["als"], note=f"the size with the lowest ratio, {worst.name}; {worst.note}"
    )


def _memory(found: dict[str, list[dict[str, float]]]) -> Record:
    peak = _column(found, "peak_gib")
    if PEER not in found:
        return alone("als_25m_memory", "GiB", peak["ours"], note=f"{PEER} is not installed: make bench installs it")
    return compared("als_25m_memory", "GiB", peak["ours"], peak[PEER], PEER)


def main() -> None:
    """Sample, or fit one side, in this process."""
    parser = arguments(__doc__, ["sample", *SIDES])
    parser.add_argument("--set", choices=DIMENSION, default="100k")
    parser.add_argument("--catalogue", type=Path, default=Path("data/catalogue"))
    asked = parser.parse_args()
    if asked.side == "sample":
        print(json.dumps(sample_to(asked.catalogue, asked.set, asked.data)))
    else:
        print(json.dumps(fit(asked.side, asked.data, asked.set, Setting(clock=asked.clock))))


if __name__ == "__main__":
    main()
