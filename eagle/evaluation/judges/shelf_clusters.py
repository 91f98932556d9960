"""Clusters of people with like tastes, and how well the shelf foretells what they make of unseen items together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from eagle.core.seeding import derive_seed
from eagle.domains.text import Description
from eagle.evaluation.judges.base import Texts
from eagle.evaluation.judges.shelf_figures import Foretold
from eagle.evaluation.judges.shelf_foretelling import Foreteller, foretell
from eagle.evaluation.judges.shelf_ratings import HiddenRatings

CLUSTERS = 8
RATERS = 8  # of a cluster for one item, below which their mean is mostly noise [M]
PULL = 10.0  # ratings that draw a genre's mean to the person's own [O]


def clusters_of(ratings: pd.DataFrame, texts: Texts, people: Sequence[str], seed: int) -> np.ndarray:
    """Return every person's cluster (n_people,): k-means of which genres they rate high.

    It is -1 without ratings, and for everybody where there are no genres.

    ``ratings`` (user, item, rating) are others than those that will be foretold.
    """
    rows = ratings[ratings["item"].isin(texts.keys()) & ratings["user"].isin(set(people))]
    genres = {item: Description.read_any(text).genres for item, (text, _) in texts.items()}
    found = np.full(len(people), -1)
    if rows.empty or not any(genres.values()):
        return found
    above = rows["rating"] - rows.groupby("user")["rating"].transform("mean")
    long = rows.assign(above=above, genre=rows["item"].map(genres)).explode("genre")
    table = long.pivot_table(index="user", columns="genre", values="above", aggfunc=["sum", "count"], fill_value=0)
    if table.empty:
        return found
    tastes = (table["sum"] / (table["count"] + PULL)).reindex(list(people)).dropna()
    count = min(CLUSTERS, len(np.unique(tastes.to_numpy(), axis=0)))
    fitted = KMeans(count, n_init=4, random_state=derive_seed(seed, "shelf", "clusters") % 2**32)
    place = {person: index for index, person in enumerate(people)}
    found[[place[str(person)] for person in tastes.index]] = fitted.fit_predict(tastes.to_numpy())
    return found


def foretold_by_cluster(
    foreteller: Foreteller, values: np.ndarray, split: str, cluster: np.ndarray, width: float
) -> Foretold:
    """Foretell the mean of each cluster's ``values`` (n,) less each person's mean, on items with RATERS or more.

    ``cluster`` (n_people,) as from :func:`clusters_of`. Items are resampled.
    """
    hidden = foreteller.hidden
    count = np.maximum(np.bincount(hidden.person, minlength=len(hidden.people)), 1)
    above = values - (np.bincount(hidden.person, values, len(hidden.people)) / count)[hidden.person]
    own = cluster[hidden.person]
    known = own >= 0
    together = HiddenRatings(
        tuple(map(str, range(CLUSTERS))), hidden.items, own, hidden.item, above, above, hidden.split
    )
    rows = pd.DataFrame({"cluster": own, "item": hidden.item, "above": above})[known & (hidden.split == split)]
    means = rows.groupby(["cluster", "item"])["above"].agg(["mean", "size"]).reset_index()
    means = means[means["size"] >= RATERS]
    group, item = means["cluster"].to_numpy(), means["item"].to_numpy()
    said = foretell([together.shelf(above, known)], foreteller.directions, group, item, width)[0]
    return Foretold(group, item, said, means["mean"].to_numpy(float), np.zeros((2, 0, len(said))))
