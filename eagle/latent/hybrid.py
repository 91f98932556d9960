"""Joint hybrid: the text as a prior of the item factors inside the factorisation.

Differs from the paper, which factorises first and regresses texts onto the factors after (``two_stage``):
1. r = mu + b_u + b_i + <p_u, q_i>, with (b_i, q_i) = W x_i + offset_i, so an item with few ratings stands where its
   text puts it, and W is learned from ratings, not from shrunken factors.
2. Alternates: W exactly, with the offsets marginalised; items given W; users given items. For given users the first two
   minimise one quadratic jointly, so the objective never rises.
The marginalised solve is the normal equations of a linear mixed model. docs/method.md has what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from eagle.config import EncoderConfig
from eagle.latent.least_squares import normal_equations, pack, solve, solve_rows
from eagle.latent.ratings import Ratings


@dataclass(frozen=True)
class JointModel:
    """Columns of items and of the text map are (bias, factor 1 .. factor k); those of users (own bias, factor 1 ..
    factor k).
    """

    mean: float
    text_map: np.ndarray  # (k + 1, f): W
    items: np.ndarray  # (n_items, k + 1)
    users: np.ndarray  # (n_users, k + 1)

    def objective(self, ratings: Ratings, features: np.ndarray, config: EncoderConfig) -> float:
        """The penalised sum of squares that :func:`fit_joint` lowers; features (n_items, f)."""
        row, column = ratings.counts.nonzero()
        predicted = self.mean + self.users[row, 0] + (_led_by_one(self.users)[row] * self.items[column]).sum(axis=1)
        rating = np.asarray(ratings.sums[row, column]).ravel()
        offsets = self.items - features @ self.text_map.T
        user, offset, text = _penalties(config, self.items.shape[1])
        return float(
            ((rating - predicted) ** 2).sum()
            + (user * self.users**2).sum()
            + (offset * offsets**2).sum()
            + (text[:, None] * self.text_map**2).sum()
        )


def _penalties(config: EncoderConfig, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Penalties of users, offsets and text map, (width,) each: the bias first."""

    def both(bias: float, factor: float) -> np.ndarray:
        return np.append(bias, np.full(width - 1, factor))

    return (
        both(config.lambda_user_bias, config.lambda_user),
        both(config.lambda_bias_offset, config.lambda_offset),
        both(config.lambda_bias_text, config.lambda_text),
    )


def _led_by_one(users: np.ndarray) -> np.ndarray:
    """[1, p_u]: what multiplies an item's (bias, factors)."""
    return np.hstack([np.ones((len(users), 1)), users[:, 1:]])


def _led_by_bias_column(items: np.ndarray) -> np.ndarray:
    """[1, q_i]: what multiplies a user's (bias, factors)."""
    return np.hstack([np.ones((len(items), 1)), items[:, 1:]])


def solve_text_map(
    left: np.ndarray, right: np.ndarray, features: np.ndarray, offset_penalty: np.ndarray, text_penalty: np.ndarray
) -> np.ndarray:
    """Return W (k + 1, f) with the offsets marginalised, given every item's normal equations.

    With A_i, y_i the sides of item i and L the offset penalty, item i tells about W x_i with precision
    M_i = L - L (A_i + L)^-1 L and weighted answer L (A_i + L)^-1 y_i.
    """
    width, f = len(offset_penalty), features.shape[1]
    gain = np.linalg.solve(
        left + np.diag(offset_penalty), np.diag(offset_penalty)
    )  # (A + L)^-1 L: (n_items, k + 1, k + 1)
    precision = np.diag(offset_penalty) - offset_penalty[None, :, None] * gain
    answer = np.einsum("nab,na->nb", gain, right)  # L (A + L)^-1 y
    system = np.zeros((width, f, width, f))
    for a in range(width):
        for b in range(a + 1):
            block = features.T @ (precision[:, a, b, None] * features)
            system[a, :, b, :] = block
            system[b, :, a, :] = block
    flat = system.reshape(width * f, width * f)
    flat[np.diag_indices_from(flat)] += np.repeat(text_penalty, f)
    solved: np.ndarray = linalg.solve(flat, (answer.T @ features).ravel(), assume_a="pos").reshape(width, f)
    return solved


def solve_users(mean: float, items: np.ndarray, ratings: Ratings, config: EncoderConfig) -> np.ndarray:
    """Fold users in: (n_users, k + 1) of (b_u, p_u) in closed form, with the items (n_items, k + 1) frozen."""
    return solve(pack(ratings), _led_by_bias_column(items), mean + items[:, 0], _penalties(config, items.shape[1])[0])


def fit_joint(ratings: Ratings, features: np.ndarray, start: np.ndarray, config: EncoderConfig) -> JointModel:
    """Fit on ``ratings`` with item features (n_items, f), from user factors ``start`` (n_users, k) of plain ALS."""
    by_item, mean = pack(ratings.transposed), ratings.mean
    users = np.hstack([ratings.user_means(config.lambda_user_bias)[:, None] - mean, start])
    _, offset, text = _penalties(config, users.shape[1])
    model = JointModel(
        mean, np.zeros((users.shape[1], features.shape[1])), np.zeros((len(features), users.shape[1])), users
    )
    for _ in range(config.rounds):
        left, right = normal_equations(by_item, _led_by_one(model.users), mean + model.users[:, 0])
        text_map = solve_text_map(left, right, features, offset, text)
        items = solve_rows(left, right, offset, features @ text_map.T)
        model = replace(model, text_map=text_map, items=items, users=solve_users(mean, items, ratings, config))
    return model
