"""Factors from Spark MLlib's ALS (``factors.engine: spark``), for ratings whose factorisation does not fit one machine.

Differs from our own ALS in what MLlib can state:
1. It has no biases: they are fitted first, here, and MLlib factorises what they leave (factors lets both settle
   together after).
2. It multiplies a row's penalty by the row's number of ratings. ``regularization`` divided by the (geometric) mean
   number of ratings per row is the same penalty on a row of usual length, and a smaller one on short rows.
3. Every missing entry weighs nothing.

Where Spark runs and what it may take is Spark's own configuration (spark-defaults.conf, SPARK_CONF_DIR); without any it
is local mode on all cores.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from eagle.config import FactorsConfig
from eagle.core.errors import user_error
from eagle.latent.least_squares import pack, solve
from eagle.latent.ratings import Ratings

BIAS_SWEEPS = 8  # alternations of user and item biases: they converge by a factor of about 5 each


def fit_biases(ratings: Ratings, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the biases of users (n_users,) and items (n_items,) about the overall mean, without factors."""
    by_user, by_item = pack(ratings), pack(ratings.transposed)
    users, items = np.zeros(len(ratings.users)), np.zeros(len(ratings.items))
    for _ in range(BIAS_SWEEPS):
        items = solve(by_item, np.ones((len(users), 1)), ratings.mean + users, np.array([penalty]))[:, 0]
        users = solve(by_user, np.ones((len(items), 1)), ratings.mean + items, np.array([penalty]))[:, 0]
    return users, items


def item_factors(
    ratings: Ratings, user_bias: np.ndarray, item_bias: np.ndarray, config: FactorsConfig, seed: int
) -> np.ndarray:
    """Return MLlib's item factors (n_items, k) of what the biases leave; zeros where an item has no rating.

    EagleError where Spark or Java is missing or does not start, and for a missing weight.
    """
    if config.missing_weight:
        raise user_error(
            "factors.engine: spark fits observed ratings only",
            found=f"factors.missing_weight {config.missing_weight:g}",
            mend="set factors.missing_weight to 0, or factors.engine to numpy",
        )
    seen = ratings.sums.tocoo()
    mean_rating = seen.data / ratings.counts.data
    rest = mean_rating - ratings.mean - user_bias[seen.row] - item_bias[seen.col]
    table = pa.table({"user": seen.row, "item": seen.col, "rating": rest.astype(np.float32)})
    with _session() as session:
        from pyspark.ml.recommendation import ALS

        cores = session.sparkContext.defaultParallelism
        als = ALS(
            userCol="user",
            itemCol="item",
            rank=config.dimension,
            maxIter=config.iterations,
            regParam=config.regularization * float(np.sqrt(len(ratings.users) * len(ratings.items))) / max(seen.nnz, 1),
            numUserBlocks=cores,
            numItemBlocks=cores,
            checkpointInterval=2,  # a longer lineage overflows Java's stack
            seed=seed,
        )
        found = als.fit(session.createDataFrame(table)).itemFactors.toArrow()
    factors = np.zeros((len(ratings.items), config.dimension), np.float32)
    factors[found["id"].to_numpy()] = (
        found["features"].combine_chunks().flatten().to_numpy().reshape(-1, config.dimension)
    )
    return factors


@contextlib.contextmanager
def _session() -> Iterator[Any]:
    """The Spark session that is there, or one for the time being."""
    try:
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise user_error(
            "factors.engine: spark needs pyspark", found=error, mend="pip install 'eagle-steering[spark]'"
        ) from None
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        raise user_error(
            "factors.engine: spark needs Java",
            found="no java on the PATH and no JAVA_HOME",
            expected="Java 17 or later",
            mend="install a Java runtime (openjdk-17-jre-headless, for example)",
        )
    active = SparkSession.getActiveSession()
    if active is not None:
        yield active
        return
    builder = (
        SparkSession.builder.appName("eagle")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
    )
    try:
        session = builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise user_error(
            "Spark did not start", found=error, mend="see what Java said above; Spark needs Java 17 or later"
        ) from None
    with tempfile.TemporaryDirectory(prefix="eagle-spark-") as checkpoints:
        if session.sparkContext.master.startswith(
            "local"
        ):  # a cluster's must be on its own storage: spark.checkpoint.dir
            session.sparkContext.setCheckpointDir(checkpoints)
        try:
            yield session
        finally:
            session.stop()
