"""Cold start: how well each recipe ranks items that it never saw, beside honest baselines.

Only fit and holdout rows judge; the panel's rows stay with the panel. Validation items choose settings, test items are
reported. "Has a plot" is itself a sign of popularity where only known films have plots, so items with plots are judged
apart too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eagle.config import Config
from eagle.core.seeding import stream
from eagle.latent.factors import warm_rows
from eagle.latent.ratings import Splits
from eagle.latent.recipes import RECIPES, FitData, Fitted
from eagle.latent.verdict import judged_against_popularity
from eagle.stats.ranking import least_ratings, ranking, ranking_difference, rmse

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


@dataclass(frozen=True)
class ColdStart:
    """What every recipe, baseline and encoder says of all pairs of users and items, and what people said."""

    users: list[str]
    items: list[str]
    scores: Mapping[str, np.ndarray]  # name -> (n_users, n_items)
    splits: Splits
    seed: int

    @classmethod
    def of(
        cls,
        fitted: Mapping[str, Fitted],
        genres: Fitted,
        material: FitData,
        splits: Splits,
        config: Config,
        own: Mapping[str, np.ndarray] | None = None,
    ) -> ColdStart:
        """Score all pairs.

        ``own``: scores (n_users, n_items) of an encoder that is neither recipe, by its name: <z_u, E_D>, as in U.

        The popularity of a cold item is counted from its own fit ratings, which no recipe sees: a yardstick, not a
        competitor.
        """
        scores = _scores(fitted, genres, material, splits, config) | dict(own or {})
        return cls(genres.users, material.items, scores, splits, config.seed)

    def report(self, has_plot: np.ndarray) -> dict[str, Any]:
        """Judge every row on validation and on test items, for all users and for test users, and on items with plots.

        ``has_plot``: (n_items,) bool.
        """
        everyone, plotted = set(self.users), set(np.array(self.items, object)[has_plot])
        report: dict[str, Any] = {}
        for split in ("validation", "test"):
            items = set(self.splits.items_in(split))
            groups = {
                "all users": (items, everyone),
                f"{split} users": (items, set(self.splits.users_in(split))),
                "all users, items with plots": (items & plotted, everyone),
            }
            for group, (some_items, some_users) in groups.items():
                report[f"{split} items, {group}"] = self._judged(some_items, some_users, ("cold", split, group))
        return report

    def against_popularity(self, kind: str) -> dict[str, Any]:
        """Judge the encoder ``kind`` against popularity for all users: split, then part of its scores, to figures.

        A recipe is judged as in U and with its whole bias, any other encoder as in U.
        """
        parts = {part: f"{kind}, {part}" for part in PARTS[1:]} if kind in RECIPES else {PARTS[1]: kind}
        report: dict[str, Any] = {}
        for split in ("validation", "test"):
            rows, predicted = self._unseen(set(self.splits.items_in(split)), set(self.users))
            draws, least = (self.seed, "cold", split, "all users"), least_ratings(rows)
            report[split] = {
                part: judged_against_popularity(
                    ranking(rows, predicted[name], stream(*draws)),
                    ranking_difference(rows, predicted[name], predicted["popularity"], stream(*draws)),
                    least,
                )
                for part, name in parts.items()
            }
        return report

    def _unseen(self, items: set[str], users: set[str]) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
        """Return the ratings (n rows) of these items by these users, and what every row says of them, (n,) by name."""
        rows = self.splits.part("fit", "holdout")
        rows = rows[rows["item"].isin(items) & rows["user"].isin(users)]
        u = pd.Index(self.users).get_indexer(pd.Index(rows["user"]))
        i = pd.Index(self.items).get_indexer(pd.Index(rows["item"]))
        return rows, {name: score[u, i] for name, score in self.scores.items()}

    def _judged(self, items: set[str], users: set[str], draws: tuple[str, ...]) -> dict[str, Any]:
        rows, predicted = self._unseen(items, users)
        return {name: ranking(rows, guess, stream(self.seed, *draws)) for name, guess in predicted.items()} | {
            f"joint_hybrid - two_stage, {part}": ranking_difference(
                rows,
                predicted[f"joint_hybrid, {part}"],
                predicted[f"two_stage, {part}"],
                stream(self.seed, *draws),
            )
            for part in PARTS
        }
