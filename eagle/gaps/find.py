"""The best gaps found: texts of EAGLE that their user would value above the anchor and above the own average item, and
what already lies near them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from eagle.evaluation.arm import Arm
from eagle.evaluation.comparison import final_rows
from eagle.latent.space import LatentSpace
from eagle.quality.defects import defective

NEAREST = 3


def find_gaps(
    trajectories: pd.DataFrame,
    arms: Sequence[Arm],
    latent: LatentSpace,
    titles: dict[str, str],
    profiles: dict[str, str],
) -> pd.DataFrame:
    """Return every final text of EAGLE with a gain over its anchor and U above 0, best gain first; a text is listed
    once, for its best user. Where EAGLE was searched with, the texts are those that its search kept.

    U is 0 for the user's average item: from an anchor far below, a text may gain much and still please nobody.

    Columns: rank, arm, user, profile, anchor, anchor_title, anchor_text, text, actions, utility, anchor_utility, gain
    (SD of U), user_preference, rater_preference, distance, nearest (ids), nearest_titles, nearest_distances (latent,
    Euclidean), novelty (distance to the nearest item in usual spacings of the whole catalogue, while U's distance is
    relative to the neighbourhood).
    """
    searched = [arm for arm in arms if arm.searches_with_eagle]
    asked = searched or [arm for arm in arms if arm.kind == "eagle"]
    finals = [_gains(trajectories[trajectories["arm"] == arm.name]) for arm in asked]
    found = (
        pd.concat([f for f in finals if len(f)], ignore_index=True)
        if any(len(f) for f in finals)
        else _gains(trajectories[:0])
    )
    offered = found["eligible"].astype(bool) & ~found["text"].map(defective).astype(bool)
    pleasing = (found["gain"] > 0) & (found["utility"] > 0)
    found = found[offered & pleasing & (found["text"] != found["anchor_text"])]
    found = found.sort_values(["gain", "arm", "case"], ascending=[False, True, True], kind="stable").drop_duplicates(
        "text"
    )
    found = found.reset_index(drop=True)
    found.insert(0, "rank", np.arange(1, len(found) + 1))
    found = found.assign(
        anchor_title=[titles.get(anchor, anchor) for anchor in found["anchor"]],
        profile=[profiles.get(user, "") for user in found["user"]],
    )
    return _nearest(found, latent, titles).drop(columns=["z", "case", "eligible"])


def _gains(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per case of an arm: its final text beside its anchor."""
    start = rows[rows["step"] == 0].set_index("case")
    steps = rows[rows["step"] > 0].sort_values("step").groupby("case")["action"].agg(list)
    final = final_rows(rows)
    columns = [
        "arm",
        "case",
        "user",
        "anchor",
        "text",
        "utility",
        "user_preference",
        "rater_preference",
        "distance",
        "eligible",
        "z",
    ]
    anchor_utility = final["case"].map(start["utility"])
    return final[columns].assign(
        anchor_text=final["case"].map(start["text"]),
        anchor_utility=anchor_utility,
        gain=final["utility"] - anchor_utility,
        actions=final["case"].map(steps),
    )


def _nearest(found: pd.DataFrame, latent: LatentSpace, titles: dict[str, str]) -> pd.DataFrame:
    count = min(NEAREST, len(latent.items))
    points = np.array(found["z"].tolist(), dtype=float).reshape(len(found), latent.dimension)
    distances = _distances(points, latent.item_vectors)
    order = np.argsort(distances, axis=1, kind="stable")[:, :count]
    near = np.take_along_axis(distances, order, axis=1)
    ids = [[latent.items[i] for i in row] for row in order]
    return found.assign(
        nearest=pd.Series(ids, dtype=object),
        nearest_titles=pd.Series([[titles.get(item, item) for item in row] for row in ids], dtype=object),
        nearest_distances=pd.Series([row.tolist() for row in near], dtype=object),
        novelty=near[:, 0] / usual_spacing(latent.item_vectors) if len(near) else [],
    )


def _distances(points: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return Euclidean distances (n_points, n) of points to vectors, point by point: a table of all differences would
    hold d times as many numbers.
    """
    rows = [np.linalg.norm(point - vectors, axis=1) for point in points]
    return np.stack(rows) if rows else np.zeros((0, len(vectors)))


def usual_spacing(vectors: np.ndarray, sample: int = 500) -> float:
    """Return the median distance from an item to its nearest other item, over ``sample`` items of ``vectors`` (n, d),
    evenly picked; 1 where all are at one point.
    """
    chosen = np.linspace(0, len(vectors) - 1, min(sample, len(vectors))).astype(int)
    distances = _distances(vectors[chosen], vectors)
    distances[np.arange(len(chosen)), chosen] = np.inf
    apart = distances.min(axis=1)
    known = apart[np.isfinite(apart) & (apart > 0)]
    return float(np.median(known)) if len(known) else 1.0


def best_per_anchor(gaps: pd.DataFrame, top: int) -> pd.DataFrame:
    """Return at most ``top`` gaps, one per anchor: what a reader wants to see first is breadth."""
    return gaps.drop_duplicates("anchor").head(top)
