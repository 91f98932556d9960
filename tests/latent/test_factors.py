"""Weighted ALS against planted factors, a dense solver and its own objective."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eagle.config import FactorsConfig, parse_config
from eagle.core.artifacts import read_json, write_json, write_table
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.data.stored import read_rating_split
from eagle.latent.factors import BIAS_PENALTY, Factors, fit_factors, fold_in, run
from eagle.latent.ratings import Ratings, Splits
from tests.latent.conftest import Planted, plant


def fitted(planted: Planted, **settings_: float | str) -> Factors:
    config = FactorsConfig(**{"dimension": 3, "regularization": 0.1, "iterations": 30, **settings_})
    return fit_factors(planted.ratings, config, np.random.default_rng(0))


def predictions(factors: Factors) -> np.ndarray:
    u, i = np.indices((len(factors.users), len(factors.items)))
    return factors.predict(u.ravel(), i.ravel()).reshape(u.shape)


def test_planted_factors_are_recovered_on_pairs_never_seen(planted: Planted) -> None:
    seen = planted.ratings.counts.toarray() > 0
    error = predictions(fitted(planted)) - planted.expected
    assert np.sqrt((error[~seen] ** 2).mean()) < 0.25
    assert planted.expected[~seen].std() > 1.5


def test_fold_in_of_the_same_users_gives_the_same_users(planted: Planted) -> None:
    factors = fitted(planted)
    config = FactorsConfig(dimension=3, regularization=0.1)
    folded = fold_in(factors, planted.ratings, config)
    np.testing.assert_allclose(folded.user_factors, factors.user_factors, atol=1e-5)
    np.testing.assert_allclose(folded.user_bias, factors.user_bias, atol=1e-5)


def test_folding_in_is_the_optimum_with_the_items_frozen(planted: Planted) -> None:
    """No small step from the folded-in user lowers the penalised squares."""
    config = FactorsConfig(dimension=3, regularization=0.7)
    factors = fold_in(fitted(planted), planted.ratings, config)
    rows = planted.table[planted.table["user"] == "u4"]
    items = rows["item"].str[1:].astype(int).to_numpy()

    def squares(vector: np.ndarray, bias: float) -> float:
        error = rows["rating"] - factors.mean - bias - factors.item_bias[items] - factors.item_factors[items] @ vector
        return float((error**2).sum() + 0.7 * (vector**2).sum() + BIAS_PENALTY * bias**2)

    best = squares(factors.user_factors[4], factors.user_bias[4])
    rng = np.random.default_rng(0)
    for _ in range(20):
        step = rng.normal(size=4, scale=0.01)
        assert squares(factors.user_factors[4] + step[:3], factors.user_bias[4] + step[3]) > best


def test_a_user_without_ratings_stands_at_zero(planted: Planted) -> None:
    ratings = Ratings.from_table(planted.table, [*planted.users, "nobody"], planted.items)
    folded = fold_in(fitted(planted), ratings, FactorsConfig(dimension=3))
    assert not folded.user_factors[-1].any()
    assert folded.user_bias[-1] == 0
    assert ratings.user_means()[-1] == pytest.approx(ratings.mean)


def test_fewer_items_or_users_than_dimensions_is_one_clear_error(planted: Planted) -> None:
    with pytest.raises(EagleError, match=r"50 items, 51 dimensions"):
        fit_factors(planted.ratings, FactorsConfig(dimension=51), np.random.default_rng(0))
    with pytest.raises(EagleError, match="training users"):
        fit_factors(plant(4, 50).ratings, FactorsConfig(dimension=5), np.random.default_rng(0))


def test_rows_of_unknown_users_and_items_are_left_out() -> None:
    table = pd.DataFrame({"user": ["a", "b", "a"], "item": ["x", "x", "z"], "rating": [1.0, 2.0, 3.0]})
    ratings = Ratings.from_table(table, ["a"], ["x", "y"])
    np.testing.assert_array_equal(ratings.sums.toarray(), [[1.0, 0.0]])


def test_stage_learns_from_fit_rows_of_train_users_on_train_items_only(world: Project, tmp_path: Path) -> None:
    config = parse_config({"seed": 3, "factors": {"dimension": 4}}).only(["seed", "factors"])
    run(config, world)
    report = read_json(world.stage_metrics("factors"))
    splits = Splits.load(world)
    factors = Factors.load(world.factors)
    assert set(factors.items) == set(splits.items_in("train"))
    assert set(factors.users) == set(splits.users_in("train"))
    rows = splits.ratings[splits.ratings["user"].isin(factors.users) & splits.ratings["item"].isin(factors.items)]
    assert report["ratings"] == (rows["part"] == "fit").sum()
    assert report["warm_rmse"]["factors"]["value"] < report["warm_rmse"]["user and item mean"]["value"]
    again = Project(tmp_path)
    (tmp_path / "data").symlink_to(world.root / "data")
    run(config, again)
    assert again.factors.read_bytes() == world.factors.read_bytes()


def test_any_rating_scale_works_alike(world: Project, tmp_path: Path) -> None:
    """The same ratings on a scale from -10 to 10 give the same factors, and errors in points of that scale."""
    config = parse_config({"seed": 3, "factors": {"dimension": 4}}).only(["seed", "factors"])
    wide = Project(tmp_path)
    shutil.copytree(world.root / "data", tmp_path / "data")
    table = read_rating_split(world.split_files.ratings)
    write_table(wide.split_files.ratings, table.assign(rating=5 * table["rating"] - 15), "rating_split")
    source = read_json(world.catalogue_files.source)
    write_json(wide.catalogue_files.source, {**source, "rating_min": -10.0, "rating_max": 10.0})
    reports = []
    for project in (world, wide):
        run(config, project)
        reports.append(read_json(project.stage_metrics("factors"))["warm_rmse"])
    ours, theirs = Factors.load(world.factors), Factors.load(wide.factors)
    for name in ("item_factors", "item_bias", "user_factors", "user_bias"):
        np.testing.assert_allclose(getattr(theirs, name), getattr(ours, name), atol=2e-3)
    for name, found in reports[0].items():
        assert reports[1][name]["value"] == pytest.approx(5 * found["value"], rel=2e-3)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Spark of two threads that tells nobody; skipped where Spark or Java is missing."""
    sql = pytest.importorskip("pyspark.sql", reason="the extra spark is not installed")
    if not shutil.which("java"):
        pytest.skip("Spark needs Java, and there is none")
    builder = (
        sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "localhost")
    )
    session = (
        builder.config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    session.sparkContext.setCheckpointDir(str(tmp_path_factory.mktemp("spark")))
    yield
    session.stop()


@pytest.mark.usefixtures("spark")
def test_sparks_als_predicts_pairs_never_seen_as_well_as_ours(planted: Planted) -> None:
    seen = planted.ratings.counts.toarray() > 0
    ours, theirs, again = (
        fitted(planted, regularization=1.0, iterations=6, engine=engine) for engine in ("numpy", "spark", "spark")
    )
    errors = [np.sqrt(((predictions(each) - planted.expected)[~seen] ** 2).mean()) for each in (ours, theirs)]
    assert errors[1] < 1.15 * errors[0]
    np.testing.assert_array_equal(again.item_factors, theirs.item_factors)


def test_spark_cannot_weigh_missing_ratings(planted: Planted) -> None:
    with pytest.raises(EagleError, match="observed ratings only"):
        fitted(planted, engine="spark", missing_weight=0.1)


def test_spark_without_java_names_what_is_missing(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark", reason="the extra spark is not installed")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EagleError, match="needs Java"):
        fitted(planted, engine="spark")


def test_spark_without_pyspark_names_the_extra(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with pytest.raises(EagleError, match=r"eagle-steering\[spark\]"):
        fitted(planted, engine="spark")
