"""Cold start: how well each recipe ranks items that it never saw, beside honest baselines.

Only fit and holdout rows judge; the panel's rows stay with the panel. Validation items choose settings, test items are
reported. "Has a plot" is itself a sign of popularity where only known films have plots, so items with plots are judged
apart too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from eagle.config import Config
from eagle.core.seeding import stream
from eagle.latent.factors import warm_rows
from eagle.latent.judge import ranking, ranking_difference, rmse
from eagle.latent.ratings import Splits
from eagle.latent.recipes import FitData, Fitted

PARTS = ("personal part", "as in U", "with bias")


def warm_rmse(fitted: Fitted, splits: Splits, rng: np.random.Generator) -> dict[str, Any]:
    """RMSE in points of the source's scale on holdout rows of all users, folded in, on train items."""
    rows = warm_rows(splits, fitted.warm.users, fitted.warm.items)
    errors = fitted.warm.predict(rows["u"].to_numpy(), rows["i"].to_numpy()) - rows["rating"].to_numpy(float)
    return rmse(rows["user"], errors * splits.unit, rng)


def _recipe_scores(name: str, fitted: Fitted, vectors: np.ndarray, bias_weight: float) -> dict[str, np.ndarray]:
    """Scores (n_users, n_items): personal part, as in U (bias x c), and with the whole bias."""
    personal = fitted.user_factors @ (vectors @ fitted.text_map[:-1].T).T
    bias = vectors @ fitted.text_map[-1]
    return {
        f"{name}, {part}": personal + weight * bias for part, weight in zip(PARTS, (0.0, bias_weight, 1.0), strict=True)
    }


def _scores(
    fitted: Mapping[str, Fitted], genres: Fitted, material: FitData, splits: Splits, config: Config
) -> dict[str, np.ndarray]:
    """Return every row's scores (n_users, n_items)."""
    n_users, items = len(genres.users), material.items
    counts = splits.part("fit")["item"].value_counts().reindex(items).fillna(0.0).to_numpy()
    rows = {
        "user mean": np.zeros((n_users, len(items))),
        "popularity": np.tile(counts, (n_users, 1)),
    }
    if material.genre_hot.shape[1]:
        rows["genres only"] = _recipe_scores("", genres, material.genre_hot, 1.0)[", with bias"]
    for name, each in fitted.items():
        rows |= _recipe_scores(name, each, material.vectors, config.encoder.bias_weight)
    return rows


def cold_report(
    fitted: Mapping[str, Fitted],
    genres: Fitted,
    material: FitData,
    has_plot: np.ndarray,
    splits: Splits,
    config: Config,
    own: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Any]:
    """Judge every row on validation and on test items, for all users and for test users, and on items with plots.

    ``own``: scores (n_users, n_items) of an encoder that is neither recipe, by its name: <z_u, E_D>, as in U.

    The popularity of a cold item is counted from its own fit ratings, which no recipe sees: a yardstick, not a
    competitor.
    """
    scores = _scores(fitted, genres, material, splits, config) | dict(own or {})
    user_place, item_place = pd.Index(genres.users), pd.Index(material.items)
    everyone, plotted = set(genres.users), set(np.array(material.items, object)[has_plot])
    report: dict[str, Any] = {}
    for split in ("validation", "test"):
        items = set(splits.items_in(split))
        groups = {
            "all users": (items, everyone),
            f"{split} users": (items, set(splits.users_in(split))),
            "all users, items with plots": (items & plotted, everyone),
        }
        for group, (some_items, some_users) in groups.items():
            rows = splits.part("fit", "holdout")
            rows = rows[rows["item"].isin(some_items) & rows["user"].isin(some_users)]
            u, i = user_place.get_indexer(pd.Index(rows["user"])), item_place.get_indexer(pd.Index(rows["item"]))
            predicted = {name: score[u, i] for name, score in scores.items()}
            report[f"{split} items, {group}"] = {
                name: ranking(rows, guess, stream(config.seed, "cold", split, group))
                for name, guess in predicted.items()
            } | {
                f"joint_hybrid - two_stage, {part}": ranking_difference(
                    rows,
                    predicted[f"joint_hybrid, {part}"],
                    predicted[f"two_stage, {part}"],
                    stream(config.seed, "cold", split, group),
                )
                for part in PARTS
            }
    return report
