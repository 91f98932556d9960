"""Weighted ALS: item and user factors from ratings alone.

Follows the paper (section 5.1):
1. Factors come from ratings only, by weighted alternating least squares.
2. Observed ratings have weight 1; an unobserved one has ``factors.missing_weight`` and stands at the user's mean.
Differs:
3. The predicted rating is mu + b_u + b_i + <p_u, q_i> rather than <z_u, z_m>. It is the same bilinear form with
   z_u = [p_u, b_u + mu, 1] and z_m = [q_i, 1, b_i]; keeping the biases apart lets the encoder treat taste and appeal
   separately, and lets them have their own penalties. Ratings are in units of the scale (eagle.data.stored), so that
   one penalty serves any scale.
4. Own solver: `implicit` fits preferences of 0 or 1 with every missing entry at weight 1, so explicit ratings, targets
   other than 0 and 1 and a missing weight of 0 cannot be stated in it; lenskit's explicit ALS holds pandas below 3;
   cmfrec comes without wheels. Half sweeps take a few steps of conjugate gradients in float32 (least_squares);
   ``factors.engine: spark`` hands the factorisation to Spark MLlib.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eagle.config import Config, FactorsConfig
from eagle.core.artifacts import read_arrays, write_arrays, write_json
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.core.seeding import stream
from eagle.latent.least_squares import Missing, Packed, improve, pack, solve
from eagle.latent.ratings import Ratings, Splits, positions
from eagle.stats.ranking import rmse

SCHEMA = "factors"
# of conjugate gradients per half sweep, from the present solution [M: held-out RMSE as with exact half sweeps]
STEPS = 2
LAST_STEPS = 5  # of the last half sweep, the users' [M: within 1e-5 of the exact solution]
# ratings; biases are means of many ratings and need less than factors [M: user bias 5, item bias offset 7]
BIAS_PENALTY = 5.0


@dataclass(frozen=True)
class Factors:
    """``mean + user_bias[u] + item_bias[i] + <user_factors[u], item_factors[i]>`` predicts a rating."""

    mean: float
    users: list[str]
    items: list[str]
    user_factors: np.ndarray  # (n_users, k)
    user_bias: np.ndarray  # (n_users,)
    item_factors: np.ndarray  # (n_items, k)
    item_bias: np.ndarray  # (n_items,)

    def predict(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Return predicted ratings (n,) of index pairs."""
        personal = np.einsum("nk,nk->n", self.user_factors[user], self.item_factors[item])
        predicted: np.ndarray = self.mean + self.user_bias[user] + self.item_bias[item] + personal
        return predicted

    def save(self, path: Path, inputs: tuple[Path, ...] = ()) -> None:
        arrays = {name: getattr(self, name) for name in ("user_factors", "user_bias", "item_factors", "item_bias")}
        arrays["mean"] = np.array([self.mean])
        write_arrays(path, arrays, SCHEMA, ids={"users": self.users, "items": self.items}, inputs=inputs)

    @classmethod
    def load(cls, path: Path) -> Factors:
        arrays, ids = read_arrays(path, SCHEMA)
        mean = float(arrays.pop("mean")[0])
        return cls(mean=mean, users=ids["users"], items=ids["items"], **arrays)


def _half_sweep(
    packed: Packed,
    other: np.ndarray,
    mean: float,
    config: FactorsConfig,
    missing: Missing,
    start: np.ndarray | None,
    steps: int = STEPS,
) -> np.ndarray:
    """Return all rows' (vector, bias) (n_rows, k + 1), given the columns' ``other`` (n_columns, k + 1); exactly where
    ``start`` is None.
    """
    features = np.hstack([other[:, :-1], np.ones_like(other[:, -1:])])
    penalty = np.append(np.full(config.dimension, config.regularization), BIAS_PENALTY)
    if start is None:
        return solve(packed, features, mean + other[:, -1], penalty, missing)
    return improve(packed, features, mean + other[:, -1], penalty, start, steps, missing)


def fit_factors(ratings: Ratings, config: FactorsConfig, rng: np.random.Generator) -> Factors:
    """Factorise ``ratings`` with ``config.engine``; EagleError where there are fewer items or users than dimensions."""
    n_users, n_items = ratings.counts.shape
    for what, number in (("items", n_items), ("users", n_users)):
        if number < config.dimension:
            raise user_error(
                f"factors.dimension is larger than the number of training {what}",
                found=f"{number} {what}, {config.dimension} dimensions",
                expected=f"at most {number} dimensions",
                mend="lower factors.dimension in params.yaml, or use a larger catalogue",
            )
    return _by_spark(ratings, config, rng) if config.engine == "spark" else _by_blocks(ratings, config, rng)


def _by_blocks(ratings: Ratings, config: FactorsConfig, rng: np.random.Generator) -> Factors:
    n_users, n_items = ratings.counts.shape
    drawn = rng.normal(scale=1 / np.sqrt(config.dimension), size=(n_items, config.dimension))
    items = np.hstack([drawn, np.zeros((n_items, 1))]).astype(np.float32)
    users = np.zeros((n_users, config.dimension + 1), np.float32)
    by_user, by_item = pack(ratings), pack(ratings.transposed)
    mean, own_mean, none_item = ratings.mean, ratings.user_means(), np.zeros(n_items)
    missing = Missing(config.missing_weight, own_mean, none_item)
    turned = Missing(config.missing_weight, none_item, own_mean)
    for _ in range(config.iterations):
        users = _half_sweep(by_user, items, mean, config, missing, users)
        items = _half_sweep(by_item, users, mean, config, turned, items)
    users = _half_sweep(by_user, items, mean, config, missing, users, LAST_STEPS)
    return Factors(mean, ratings.users, ratings.items, users[:, :-1], users[:, -1], items[:, :-1], items[:, -1])


def _by_spark(ratings: Ratings, config: FactorsConfig, rng: np.random.Generator) -> Factors:
    """MLlib's item factors, then one exact sweep in which biases and factors, fitted apart, settle together."""
    from eagle.latent import spark

    user_bias, item_bias = spark.fit_biases(ratings, BIAS_PENALTY)
    vectors = spark.item_factors(ratings, user_bias, item_bias, config, int(rng.integers(2**31)))
    users = np.zeros((len(ratings.users), config.dimension), np.float32)
    found = fold_in(
        Factors(ratings.mean, ratings.users, ratings.items, users, user_bias, vectors, item_bias), ratings, config
    )
    users = np.hstack([found.user_factors, found.user_bias[:, None]])
    items = _half_sweep(pack(ratings.transposed), users, ratings.mean, config, Missing(0.0, item_bias, user_bias), None)
    return fold_in(replace(found, item_factors=items[:, :-1], item_bias=items[:, -1]), ratings, config)


def fold_in(factors: Factors, ratings: Ratings, config: FactorsConfig) -> Factors:
    """Return the same item side with the users of ``ratings`` (same items) solved in closed form."""
    missing = Missing(config.missing_weight, ratings.user_means(), np.zeros(len(factors.items)))
    items = np.hstack([factors.item_factors, factors.item_bias[:, None]])
    users = _half_sweep(pack(ratings), items, factors.mean, config, missing, None)
    return Factors(
        factors.mean, ratings.users, factors.items, users[:, :-1], users[:, -1], factors.item_factors, factors.item_bias
    )


def warm_rows(splits: Splits, users: list[str], items: list[str]) -> pd.DataFrame:
    """Return the holdout rows of known users on known items, with their row numbers ``u`` and ``i``."""
    rows = splits.part("holdout")
    u, i = positions(rows["user"], users), positions(rows["item"], items)
    return rows.assign(u=u, i=i)[(u >= 0) & (i >= 0)]


def warm_report(factors: Factors, learned: Ratings, splits: Splits, rng: np.random.Generator) -> dict[str, Any]:
    """RMSE in points of the source's scale on held-out ratings of known users and items, beside mean predictors."""
    rows = warm_rows(splits, factors.users, factors.items)
    user, item, actual = rows["u"].to_numpy(), rows["i"].to_numpy(), rows["rating"].to_numpy(float)
    by_user, by_item = learned.user_means(BIAS_PENALTY), learned.transposed.user_means(BIAS_PENALTY)
    predictions = {
        "factors": factors.predict(user, item),
        "global mean": np.full(len(rows), factors.mean),
        "user mean": by_user[user],
        "item mean": by_item[item],
        "user and item mean": by_user[user] + by_item[item] - factors.mean,
    }
    return {name: rmse(rows["user"], (guess - actual) * splits.unit, rng) for name, guess in predictions.items()}


def run(config: Config, project: Project) -> None:
    """Stage ``factors``: learn from fit rows of train users on train items."""
    splits = Splits.load(project)
    learned = splits.learning()
    factors = fit_factors(learned, config.factors, stream(config.seed, "factors"))
    factors.save(project.factors, inputs=(project.split_files.ratings,))
    report = {
        "users": len(factors.users),
        "items": len(factors.items),
        "ratings": int(learned.counts.sum()),
        "dimension": config.factors.dimension,
        "warm_rmse": warm_report(factors, learned, splits, stream(config.seed, "factors", "bootstrap")),
    }
    write_json(project.stage_metrics("factors"), report)
