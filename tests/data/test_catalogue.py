from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eagle.core.errors import EagleError
from eagle.data.catalogue import keep_rated_enough, make_catalogue, read_catalogue, write_catalogue
from eagle.data.columns.ids import as_ids
from tests.data.builders import catalogue


def test_ids_are_text_however_they_are_stored() -> None:
    assert as_ids(pd.Series([1, 2])).tolist() == ["1", "2"]
    assert as_ids(pd.Series([1.0, None])).tolist() == ["1", pd.NA]
    assert as_ids(pd.Series([" 007 ", "", "x"])).tolist() == ["007", pd.NA, "x"]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    built = catalogue()
    write_catalogue(built, tmp_path / "catalogue")
    back = read_catalogue(tmp_path / "catalogue")
    assert back.source == built.source
    for name in ("ratings", "users", "items"):
        pd.testing.assert_frame_equal(getattr(back, name), getattr(built, name), check_dtype=False)
    assert back.ratings["rating"].dtype == "float32"
    assert back.items["year"].dtype == back.ratings["timestamp"].dtype == "Int64"
    assert sorted(p.name for p in tmp_path.rglob("*.*")) == [
        "items.parquet",
        "ratings.parquet",
        "source.json",
        "users.parquet",
    ]


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40, unique=True),
    per_user=st.integers(1, 4),
    per_item=st.integers(1, 4),
)
def test_whoever_remains_is_rated_enough_and_the_rest_could_not_stay(
    rows: list[tuple[int, int]], per_user: int, per_item: int
) -> None:
    ratings = pd.DataFrame(rows, columns=["user", "item"]).assign(rating=3.0)
    items = pd.DataFrame({"item": range(6), "title": "t", "genres": [[]] * 6})
    built = make_catalogue(ratings, items, catalogue().source)
    kept = set(rows)
    while True:  # the largest set in which everybody has enough, found one rating at a time
        poor = next(
            (
                r
                for r in kept
                if sum(r[0] == o[0] for o in kept) < per_user or sum(r[1] == o[1] for o in kept) < per_item
            ),
            None,
        )
        if poor is None:
            break
        kept.remove(poor)
    if not kept:
        with pytest.raises(EagleError, match="no rating is left"):
            keep_rated_enough(built, per_user, per_item, 0)
        return
    left = keep_rated_enough(built, per_user, per_item, 0)
    assert {(int(u), int(i)) for u, i in zip(left.ratings["user"], left.ratings["item"], strict=True)} == kept
    assert set(left.items["item"]) == set(left.ratings["item"])
    assert set(left.users["user"]) == set(left.ratings["user"])


def test_a_cap_keeps_whole_users_and_does_not_depend_on_row_order() -> None:
    built = catalogue(users=10, per_user=15)
    capped = keep_rated_enough(built, 1, 1, 50)
    assert capped.ratings["user"].value_counts().tolist() == [15, 15, 15]
    shuffled = make_catalogue(built.ratings.sample(frac=1, random_state=1), built.items, built.source)
    assert set(keep_rated_enough(shuffled, 1, 1, 50).users["user"]) == set(capped.users["user"])


def test_rows_without_ids_stay_for_the_checks_to_name() -> None:
    built = catalogue()
    built.ratings.loc[3, "user"] = pd.NA
    built.ratings.loc[4, "item"] = pd.NA
    left = keep_rated_enough(built, 5, 1, 0).ratings
    assert left["user"].isna().sum() == left["item"].isna().sum() == 1
