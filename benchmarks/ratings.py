"""Rating sets of the sizes of MovieLens, sampled from a model that was fitted to a real one.

1. Tastes: users and items are drawn from Gaussians with the mean and covariance of the (bias, factors) that weighted
   ALS learned from a real set, MovieLens 100K. A rating is the model's value plus as much noise as gives the real
   ratings' variance, on the scale 0.5, 1 .. 5.
2. Skew: how often items are rated is log-normal, and so is how much users rate beyond the 20 ratings that MovieLens
   asks of them; means and medians are those of the MovieLens set of that size.
3. No user rates an item twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eagle.config import FactorsConfig
from eagle.latent.factors import fit_factors
from eagle.latent.ratings import Ratings

LEAST = 20  # ratings of a MovieLens user
HELD_OUT = 0.02
FITTED = FactorsConfig(dimension=16, regularization=5.0)


@dataclass(frozen=True)
class Size:
    """Counts of a set, and the medians of ratings per user and per item."""

    users: int
    items: int
    ratings: int
    user_median: float
    item_median: float


SIZES = {
    "tiny": Size(60, 40, 1_500, 22.0, 20.0),
    "100k": Size(943, 1_682, 100_000, 65.0, 27.0),
    "1m": Size(6_040, 3_706, 1_000_000, 96.0, 123.5),
    "10m": Size(69_878, 10_677, 10_000_000, 69.0, 135.0),
    "25m": Size(162_541, 59_047, 25_000_000, 71.0, 6.0),
}


@dataclass(frozen=True)
class Sample:
    """A sampled set: what may be learned from, and pairs that may not."""

    learned: Ratings
    user: np.ndarray  # (n,) row numbers of the held-out pairs
    item: np.ndarray
    rating: np.ndarray


@dataclass(frozen=True)
class Tastes:
    """What ratings are sampled from."""

    mean: float
    users: np.ndarray  # (n_users, k + 1): bias and factors
    items: np.ndarray  # (n_items, k + 1)
    noise: float  # SD of a rating about the model's value, in stars


def tastes_of(real: Ratings, config: FactorsConfig = FITTED) -> Tastes:
    """Fit the model that larger sets are sampled from."""
    model = fit_factors(real, config, np.random.default_rng(0))
    user, item = np.random.default_rng(1).integers([len(real.users), len(real.items)], size=(10_000, 2)).T
    explained = model.predict(user, item).var()
    return Tastes(
        model.mean,
        np.column_stack([model.user_bias, model.user_factors]),
        np.column_stack([model.item_bias, model.item_factors]),
        float(np.sqrt(max(real.sums.data.var() - explained, 0.0))),
    )


def _log_normal(rng: np.random.Generator, number: int, mean: float, median: float) -> np.ndarray:
    """Draw ``number`` values with this mean and median."""
    spread = np.sqrt(2 * np.log(max(mean / median, 1.0)))
    return np.asarray(median * np.exp(spread * rng.standard_normal(number)))


def _pairs(size: Size, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw distinct pairs: each user as many items as it rates, by popularity; sorted by user."""
    mean = size.ratings / size.users - LEAST
    activity = LEAST + _log_normal(rng, size.users, mean, size.user_median - LEAST)
    popularity = _log_normal(rng, size.items, size.ratings / size.items, size.item_median)
    share, cumulative = activity / activity.sum(), np.cumsum(popularity / popularity.sum())
    keys = np.zeros(0, np.int64)
    while len(keys) < size.ratings:
        wanted = int(1.1 * (size.ratings - len(keys))) + 100
        user = np.repeat(np.arange(size.users), rng.multinomial(wanted, share))
        item = np.searchsorted(cumulative, rng.random(wanted) * cumulative[-1], side="right")
        keys = np.sort(np.concatenate([keys, user * size.items + item]))
        keys = keys[np.append(True, np.diff(keys) > 0)]
    keys = np.delete(keys, rng.choice(len(keys), len(keys) - size.ratings, replace=False))
    return keys // size.items, keys % size.items


def _alike(rng: np.random.Generator, rows: np.ndarray, number: int) -> np.ndarray:
    """Draw ``number`` rows with the mean and covariance of ``rows`` (n, k)."""
    return np.asarray(rng.multivariate_normal(rows.mean(axis=0), np.cov(rows.T), size=number, method="cholesky"))


def sample(size: Size, tastes: Tastes, rng: np.random.Generator) -> Sample:
    """Sample a set and hold ``HELD_OUT`` of its ratings out."""
    user, item = _pairs(size, rng)
    users = _alike(rng, tastes.users, size.users).astype(np.float32)
    items = _alike(rng, tastes.items, size.items).astype(np.float32)
    rating = rng.standard_normal(len(user), dtype=np.float32) * np.float32(tastes.noise) + np.float32(tastes.mean)
    rating += users[user, 0] + items[item, 0]
    for column in range(1, users.shape[1]):  # by column: no array of all pairs by all factors
        rating += users[user, column] * items[item, column]
    rating = np.clip(np.round(rating * 2) / 2, 0.5, 5.0).astype(np.float32)
    held = rng.random(len(user)) < HELD_OUT
    names = [[str(n) for n in range(number)] for number in (size.users, size.items)]
    learned = Ratings.from_pairs(user[~held], item[~held], rating[~held], *names)
    return Sample(learned, user[held], item[held], rating[held])
