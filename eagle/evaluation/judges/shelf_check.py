"""Is the shelf worth listening to? What it says of items whose ratings are taken off it, against those ratings."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from eagle.core.seeding import stream
from eagle.evaluation.judges.base import JudgeData
from eagle.evaluation.judges.shelf_clusters import clusters_of, foretold_by_cluster
from eagle.evaluation.judges.shelf_foretelling import Foreteller
from eagle.evaluation.judges.shelf_power import smallest_seen
from eagle.stats.bootstrap import TwoWayBootstrap

Gains = Callable[
    [Sequence[str], Sequence[str], Sequence[str], Sequence[str]],
    tuple[np.ndarray, np.ndarray],
]
"""Texts, anchors' texts, anchors' ids, users -> gains (n_texts, n_users), total and personal."""
STAND_INS = 8  # other items per anchor from which the smallest gain is taken, averaged


def check_shelf(
    foreteller: Foreteller, data: JudgeData, width: float, scales: tuple[float, float], gains: Gains
) -> dict[str, object]:
    """Return plain numbers for metrics.json (docs/metrics.md says what each is).

    Measured on test items, which chose nothing; on validation items where these are evaluated.
    """
    hidden = foreteller.hidden
    split = "test" if (hidden.split == "test").any() else "validation"
    everything = np.ones(len(hidden.stars), dtype=bool)
    raters = np.isin(np.array(hidden.people, dtype=object), list(data.raters))
    cluster = clusters_of(data.ratings[~data.ratings["item"].isin(hidden.items)], data.texts, hidden.people, data.seed)
    measured: dict[str, dict[str, object]] = {}
    asked, own = foreteller.rows(split), foreteller.rows(split, raters)
    for name, values, scale in (("total", hidden.stars, scales[0]), ("personal", hidden.personal, scales[1])):
        rows = foreteller.foretold(values, asked, everything, width)
        figures = {
            "correlation": foreteller.correlation(rows),
            "correlation_raters": foreteller.correlation(
                foreteller.foretold(values, own, everything, width, divisions=0)
            ),
            "correlation_clusters": foreteller.correlation(
                foretold_by_cluster(foreteller, values, split, cluster, width)
            ),
            "behind_one": foreteller.behind_one(rows.scaled(scale)),
        }
        measured[name] = {
            **{figure: estimate.as_dict() for figure, estimate in figures.items()},
            "scale": round(scale, 6),
            "near_chance": not figures["correlation"].low > 0,
        }
    return {
        **measured,
        "smallest_seen": _power(data, gains, hidden.items),
        "width": width,
        "items": split,
        "ratings": len(hidden.stars),
        "least_ratings": hidden.least,
        "users": np.unique(hidden.person[asked]).size,
        "raters": np.unique(hidden.person[own]).size,
        "near_chance": measured["total"]["near_chance"],
    }


def _power(data: JudgeData, gains: Gains, items: Sequence[str]) -> dict[str, float | None]:
    """Return the smallest gain in stars that would be seen with the cases, and with every rater instead of their users.

    Other items of the shelf stand in for the texts, each user's gain from them being real ratings'.
    """
    anchors = data.cases.drop_duplicates("anchor")
    known = dict(zip(anchors["anchor"], anchors["text"], strict=True))
    crossed = pd.DataFrame([(anchor, user) for anchor in known for user in data.raters], columns=["anchor", "user"])
    return {
        name: _smallest(cases, known, data, gains, items)
        for name, cases in (("cases", data.cases), ("raters", crossed))
    }


def _smallest(
    cases: pd.DataFrame, anchors: dict[str, str], data: JudgeData, gains: Gains, items: Sequence[str]
) -> float | None:
    if cases.empty or not items:
        return None
    bootstrap = TwoWayBootstrap(
        cases["anchor"].tolist(), cases["user"].tolist(), data.resamples, data.confidence, data.seed
    )
    users = sorted(set(cases["user"]))
    place = {anchor: row for row, anchor in enumerate(anchors)}, {user: column for column, user in enumerate(users)}
    at = cases["anchor"].map(place[0]).to_numpy(), cases["user"].map(place[1]).to_numpy()
    found = []
    for draw in range(STAND_INS):
        drawn = stream(data.seed, "shelf", "stand-ins", draw).choice(np.array(items, dtype=object), len(anchors))
        texts = [data.texts[item][0] for item in drawn]
        found.append(smallest_seen(gains(texts, list(anchors.values()), list(anchors), users)[0][at], bootstrap))
    mean = float(np.mean(found))
    return None if math.isnan(mean) else round(mean, 6)
