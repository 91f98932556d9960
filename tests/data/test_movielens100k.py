from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from eagle.data.sources import movielens100k

GENRES = ["Action", "Children's", "Drama", "Film-Noir"]


def movielens_package(folder: Path) -> None:
    items = pd.DataFrame(
        {
            "movie_id": [1, 2, 3],
            "movie_title": ["Hat, The (1950)", "Nameless", "unknown"],
            "release_date": ["01-Jan-1951", "04-Mar-1996", None],
            "video_release_date": [None] * 3,
            "IMDb_URL": ["", "", ""],
            "unknown": [0, 0, 1],
            **{genre: [int(genre == "Drama"), int(genre in ("Children's", "Film-Noir")), 0] for genre in GENRES},
        }
    )
    items.to_parquet(folder / "MovieLens100k_items.parquet.brotli", compression="brotli")
    pd.DataFrame({"user_id": [5, 5, 6], "movie_id": [1, 2, 3], "rating": [5, 1, 3], "timestamp": [9, 8, 7]}).to_parquet(
        folder / "MovieLens100k_data.parquet.brotli"
    )
    pd.DataFrame(
        {
            "user_id": [5, 6],
            "age": [17, 55],
            "gender": ["F", "M"],
            "occupation": ["writer", "none"],
            "zip_code": ["1", "2"],
        }
    ).to_parquet(folder / "MovieLens100k_users.parquet.brotli")
    pd.DataFrame({"Title": ["The Hat"], "Category": ['"Drama"'], "Plot": ["A hatter loses his hat."]}).to_csv(
        folder / "movies.csv"
    )
    (folder / "movie_summaries.json").write_text(json.dumps({"Other": "text"}))


def test_tables_come_in_catalogue_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    movielens_package(tmp_path)
    monkeypatch.setattr(
        movielens100k, "package_file", lambda package, version, sha256, member: tmp_path / Path(member).name
    )
    built = movielens100k.movielens_100k()
    assert built.items["title"].tolist() == ["The Hat", "Nameless", "unknown"]
    assert built.items["year"].tolist() == [1950, 1996, pd.NA]
    assert built.items["genres"].tolist() == [["drama"], ["children's", "film-noir"], []]
    assert built.items["text"].tolist() == ["A hatter loses his hat.", pd.NA, pd.NA]
    assert built.ratings.values.tolist() == [["5", "1", 5.0, 9], ["5", "2", 1.0, 8], ["6", "3", 3.0, 7]]
    assert built.users.values.tolist() == [["5", "under 18", "female", "writer"], ["6", "55 and over", "male", "none"]]
    assert (built.source.rating_min, built.source.rating_max) == (1.0, 5.0)
    assert len(built.source.files) == 5
