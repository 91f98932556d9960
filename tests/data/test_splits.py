from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.config import Config, SplitConfig
from eagle.core.artifacts import read_json, read_table, write_json
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.data import checks
from eagle.data.catalogue import Catalogue, make_catalogue, write_catalogue
from eagle.data.splits import run, split_items, split_ratings, split_users, spread
from tests.data.builders import catalogue

Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def _split(built: Catalogue, config: SplitConfig, seed: int) -> Tables:
    items = split_items(built, config, seed)
    ratings = split_ratings(built.ratings, items, config, seed)
    return items, split_users(built, items, ratings, config, seed), ratings


@settings(deadline=None)
@given(share=st.floats(0, 1), sizes=st.lists(st.integers(0, 30), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_spread_takes_its_share_of_everything(share: float, sizes: list[int], seed: int) -> None:
    strata = np.repeat(np.arange(len(sizes)), sizes)
    mask = spread(share, strata, np.random.default_rng(seed))
    assert abs(mask.sum() - share * len(strata)) <= 1
    for stratum, size in enumerate(sizes):
        assert abs(mask[strata == stratum].sum() - share * size) <= 1


CASES = {
    "users": st.integers(2, 25),
    "items": st.integers(10, 60),
    "per_user": st.integers(1, 10),
    "texts": st.floats(0, 1),
    "seed": st.integers(0, 1000),
    "panel": st.floats(0, 0.9),
    "holdout": st.floats(0, 0.9),
    "test": st.floats(0, 0.45),
}


@settings(max_examples=40)
@given(**CASES)
def test_whatever_the_shares_the_parts_are_disjoint_and_complete(
    users: int, items: int, per_user: int, texts: float, seed: int, panel: float, holdout: float, test: float
) -> None:
    built = catalogue(users, items, per_user, seed, texts)
    config = SplitConfig(
        test_items=test,
        validation_items=test,
        test_users=test,
        validation_users=test,
        panel_ratings=panel,
        holdout_ratings=holdout,
    )
    item_split, user_split, parts = _split(built, config, seed)

    assert sorted(item_split["item"]) == sorted(built.items["item"])  # each id once, so in one split only
    assert sorted(user_split["user"]) == sorted(built.users["user"])
    assert set(item_split["split"]) | set(user_split["split"]) <= {"train", "validation", "test"}
    pairs = built.ratings.set_index(["user", "item"])["rating"].sort_index()
    pd.testing.assert_series_equal(parts.set_index(["user", "item"])["rating"].sort_index(), pairs)
    assert set(parts["part"]) <= {"fit", "holdout", "panel"}

    train_items = item_split.loc[item_split["split"] == "train", "item"]
    on_train = parts[parts["item"].isin(train_items)]
    fit = set(on_train.loc[on_train["part"] == "fit", "user"])
    assert fit == set(on_train["user"])  # whoever rated a training item keeps a fit row on one
    assert set(user_split.loc[user_split["split"] != "train", "user"]) <= fit


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), order=st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter_and_the_seed_does(seed: int, order: int) -> None:
    built = catalogue(20, 60, 10)
    mixed = make_catalogue(
        built.ratings.sample(frac=1, random_state=order),
        built.items.sample(frac=1, random_state=order),
        built.source,
        built.users.sample(frac=1, random_state=order),
    )
    for one, other in zip(_split(built, SplitConfig(), seed), _split(mixed, SplitConfig(), seed), strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert any(
        not one.equals(other)
        for one, other in zip(_split(built, SplitConfig(), seed), _split(built, SplitConfig(), seed + 1), strict=True)
    )


def test_shares_hold_within_users_texts_and_rarity() -> None:
    built = catalogue(users=60, items=300, per_user=100, texts=0.3)
    items, users, parts = _split(built, SplitConfig(), 7)
    told = items["item"].isin(built.items.loc[built.items["text"].notna(), "item"])
    assert items[told]["split"].value_counts().to_dict() == pytest.approx(
        {"train": 54, "test": 18, "validation": 18}, abs=2
    )
    assert items["split"].value_counts().to_dict() == pytest.approx({"train": 180, "test": 60, "validation": 60}, abs=1)
    assert users["split"].value_counts().to_dict() == pytest.approx({"train": 45, "test": 9, "validation": 6}, abs=1)
    per_user = parts.groupby("user")["part"].value_counts().unstack()
    assert per_user["panel"].between(39, 41).all()
    assert per_user["holdout"].between(5, 7).all()
    block = parts["item"].map(items.set_index("item")["split"])
    panel = parts["part"].eq("panel").groupby([parts["user"], block]).agg(["sum", "size"])
    assert (abs(panel["sum"] - 0.4 * panel["size"]) <= 1.5).all()  # so the panel knows items of every split


def test_a_user_without_a_training_item_is_not_judged() -> None:
    built = catalogue(users=30, items=40, per_user=12)
    items = split_items(built, SplitConfig(), 3)
    other = items.loc[items["split"] != "train", "item"].tolist()
    stranger = pd.DataFrame({"user": "stranger", "item": other, "rating": 3.0, "timestamp": 1})
    extended = make_catalogue(pd.concat([built.ratings, stranger]), built.items, built.source)
    parts = split_ratings(extended.ratings, items, SplitConfig(), 3)
    for seed in range(20):
        users = split_users(extended, items, parts, SplitConfig(test_users=0.45, validation_users=0.45), seed)
        assert users.set_index("user").loc["stranger", "split"] == "train"


def _project(tmp_path: Path, built: Catalogue) -> Project:
    project = Project(tmp_path)
    write_catalogue(built, project.catalogue)
    checks.run(Config(), project)
    return project


def test_the_stage_writes_its_tables_and_counts(tmp_path: Path) -> None:
    project = _project(tmp_path, catalogue(users=30))
    run(Config().only(["seed", "split"]), project)
    first = {p.name: p.read_bytes() for p in project.splits.iterdir()}
    assert sorted(first) == ["items.parquet", "ratings.parquet", "users.parquet"]
    counts = read_json(project.stage_metrics("split"))
    assert sum(counts["ratings"].values()) == len(read_table(project.split_files.ratings, "rating_split")) == 450
    assert counts["items"] == read_table(project.split_files.items, "item_split")["split"].value_counts().to_dict()
    assert sum(counts["items_with_text"].values()) == 20
    run(Config().only(["seed", "split"]), project)
    assert {p.name: p.read_bytes() for p in project.splits.iterdir()} == first


def test_an_unchecked_catalogue_is_refused(tmp_path: Path) -> None:
    project = Project(tmp_path)
    write_catalogue(catalogue(), project.catalogue)
    with pytest.raises(EagleError, match=r"validation\.json does not exist"):
        run(Config(), project)
    write_json(project.validation, {"catalogue": "of another time", "passed": True})
    with pytest.raises(EagleError, match="has not passed its checks"):
        run(Config(), project)
    assert not project.splits.exists()


def test_empty_parts_are_told_at_once(tmp_path: Path) -> None:
    project = _project(tmp_path, catalogue(users=5, items=10, per_user=10))
    config = Config(split=SplitConfig(test_items=0.01, test_users=0.01, holdout_ratings=0.001))
    with pytest.raises(EagleError) as caught:
        run(config, project)
    assert [problem.what for problem in caught.value.problems] == [
        "the split leaves no test items",
        "the split leaves no test users",
        "the split leaves no holdout ratings",
    ]
    assert not project.splits.exists()
