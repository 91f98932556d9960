"""The two recipes for E_D, each from ratings and item features to a text map and folded-in users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from eagle.config import EncoderConfig, FactorsConfig
from eagle.latent.factors import Factors, fold_in
from eagle.latent.hybrid import fit_joint, solve_users
from eagle.latent.ratings import Ratings

RECIPES = ("two_stage", "joint_hybrid")


@dataclass(frozen=True)
class FitData:
    """What every recipe learns from."""

    items: list[str]  # the whole catalogue
    vectors: np.ndarray  # (n_items, f): features of the whole catalogue
    genre_hot: np.ndarray  # (n_items, g): its genres alone, unweighted
    train: np.ndarray  # rows of ``vectors`` in the order of the factors' items
    learning: Ratings  # train users on train items
    folding: Ratings  # all users on train items
    factors: Factors


@dataclass(frozen=True)
class Fitted:
    """A text map and users for it; columns are (factor 1 .. factor k, bias)."""

    text_map: np.ndarray  # (k + 1, f): personal rows, then the row of the item bias
    users: list[str]
    user_factors: np.ndarray  # (n_users, k)
    user_bias: np.ndarray  # (n_users,)
    warm: Factors  # the rating model behind it, users folded in, for warm predictions

    def weights(self, bias_weight: float) -> np.ndarray:
        """Return E_D's map (k + 1, f) with the bias row scaled by c."""
        weighted: np.ndarray = self.text_map * np.append(np.ones(len(self.text_map) - 1), bias_weight)[:, None]
        return weighted

    @property
    def user_vectors(self) -> np.ndarray:
        """z_u = [p_u, 1] (n_users, k + 1)."""
        return np.hstack([self.user_factors, np.ones((len(self.users), 1))])


def ridge(features: np.ndarray, targets: np.ndarray, penalty: float) -> np.ndarray:
    """Return the map (targets' columns, f) that minimises |targets - features W'|^2 + penalty |W|^2."""
    left = features.T @ features + penalty * np.eye(features.shape[1])
    solved: np.ndarray = linalg.solve(left, features.T @ targets, assume_a="pos").T
    return solved


def fit_two_stage(material: FitData, config: EncoderConfig, settings: FactorsConfig) -> Fitted:
    """The paper's: L2 regression of the finished item factors on the texts' features."""
    factors = material.factors
    folded = fold_in(factors, material.folding, settings)
    targets = np.hstack([factors.item_factors, factors.item_bias[:, None]])
    text_map = ridge(material.vectors[material.train], targets, config.ridge)
    return Fitted(text_map, folded.users, folded.user_factors, folded.user_bias, folded)


def fit_joint_hybrid(material: FitData, config: EncoderConfig) -> Fitted:
    """Ours: the text as a prior inside the factorisation, started from the plain factors."""
    model = fit_joint(material.learning, material.vectors[material.train], material.factors.user_factors, config)
    folding = material.folding
    users = solve_users(model.mean, model.items, folding, config)
    warm = Factors(
        model.mean, folding.users, folding.items, users[:, 1:], users[:, 0], model.items[:, 1:], model.items[:, 0]
    )
    return Fitted(np.roll(model.text_map, -1, axis=0), folding.users, users[:, 1:], users[:, 0], warm)


def fit_recipe(recipe: str, material: FitData, config: EncoderConfig, settings: FactorsConfig) -> Fitted:
    """Fit by one of :data:`RECIPES`."""
    if recipe == "joint_hybrid":
        return fit_joint_hybrid(material, config)
    return fit_two_stage(material, config, settings)
