"""The simulated panel: raters who judge texts and share nothing with the reward.

1. The paper asks 124 people [P App. G]. Here their place is taken by a model of the catalogue's own raters, so that
   every run can be judged; a panel of people can be asked with the same texts later.
2. Nothing is shared with U: it learns only from rating rows of part `panel`, which neither factors nor encoder ever
   see; its texts are words (TF-IDF) and genres, not sentence vectors; its users are random coefficients, not matrix
   factors. tests/evaluation/test_panel.py guards that nothing of eagle.latent is imported.
3. r_ui = x_i (w0 + w_u) + o_i + e with w_u ~ N(0, S), o_i ~ N(0, t2), e ~ N(0, s2): a linear mixed model, fitted by EM
   (Laird & Ware 1982). x_i are features of the TEXT, so a text that nobody has rated gets a rating like any other.
4. "Would prefer" = P(rating of one text > rating of the other) = Phi(difference / (sqrt(2) noise)); 0.5 is indifference
   [P]. The noise is that of ratings of unseen items, so probabilities stay near 0.5: people are noisy, not the panel's
   opinion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from eagle.core.errors import user_error
from eagle.evaluation.judges.base import Texts
from eagle.evaluation.words import TextFeatures

ROUNDS = 8  # EM rounds; predictions of cold items change by less than 0.005 stars after 6 (ML-100K)
POPULATION_RIDGE = 20.0  # L2 penalty on w0, in ratings: keeps rare genres near 0


@dataclass(frozen=True)
class Panel:
    """Raters by user id; ``weights`` (n_users, d) are w0 + w_u, ``population`` (d,) is w0 (used for unknown users)."""

    features: TextFeatures
    users: tuple[str, ...]
    weights: np.ndarray
    population: np.ndarray
    noise: float

    @classmethod
    def fit(cls, ratings: pd.DataFrame, texts: Texts) -> Panel:
        """Fit to ``ratings`` (user, item, rating; panel rows only) of items that have a text.

        Raises EagleError where no rated item has a text.
        """
        rated = ratings[ratings["item"].isin(texts.keys())]
        if rated.empty:
            raise user_error(
                "the panel has no rows to learn from",
                expected="ratings of part 'panel' on described items",
                mend="raise split.panel_ratings",
            )
        features = TextFeatures.fit([text for text, _ in texts.values()], [year for _, year in texts.values()])
        items, item_codes = np.unique(rated["item"].to_numpy(str), return_inverse=True)
        users, user_codes = np.unique(rated["user"].to_numpy(str), return_inverse=True)
        design = features.transform([texts[item][0] for item in items], [texts[item][1] for item in items])
        fitted = _expectation_maximisation(design, item_codes, user_codes, rated["rating"].to_numpy(float))
        return cls(features, tuple(users), fitted.population + fitted.deviations, fitted.population, fitted.noise)

    def with_noise(self, noise: float) -> Panel:
        """Return the same panel with another noise of a rating, in stars: the error on items that it has not seen."""
        return replace(self, noise=noise)

    def matrix(self, texts: Sequence[str], years: Sequence[int | None], users: Sequence[str]) -> np.ndarray:
        """Return predicted ratings of all pairs, in stars, (n_texts, n_users)."""
        row = {user: index for index, user in enumerate(self.users)}
        weights = np.stack([self.weights[row[user]] if user in row else self.population for user in users])
        ratings: np.ndarray = self.features.transform(texts, years) @ weights.T
        return ratings

    def prefers(self, difference: np.ndarray) -> np.ndarray:
        """Turn differences of predicted ratings (stars) into the probability that the first text is preferred."""
        probability: np.ndarray = norm.cdf(np.asarray(difference) / (np.sqrt(2) * self.noise))
        return probability


@dataclass(frozen=True)
class _Fitted:
    population: np.ndarray  # (d,)
    deviations: np.ndarray  # (n_users, d)
    noise: float


def _expectation_maximisation(x: np.ndarray, items: np.ndarray, users: np.ndarray, ratings: np.ndarray) -> _Fitted:
    """Fit the mixed model; ``x`` (n_items, d), the others (n_rows,) codes and stars."""
    d, n_users, n_items = x.shape[1], int(users.max()) + 1, len(x)
    order = np.argsort(users, kind="stable")
    items, users, ratings = items[order], users[order], ratings[order]
    starts = np.searchsorted(users, np.arange(n_users + 1))
    rows = x[items]  # (n_rows, d)
    gram = rows.T @ rows + POPULATION_RIDGE * np.eye(d)
    gram[0, 0] -= POPULATION_RIDGE  # the intercept is not shrunk
    population = np.linalg.solve(gram, rows.T @ ratings)
    offsets, deviations = np.zeros(n_items), np.zeros((n_users, d))
    spread, noise2, offset2 = 0.05 * np.eye(d), float(np.var(ratings)) + 1e-6, 0.1
    counts = np.bincount(items, minlength=n_items)
    for _ in range(ROUNDS):
        target = ratings - rows @ population - offsets[items]
        precision, moments = np.linalg.inv(spread), np.zeros((d, d))
        for user in range(n_users):
            mine = slice(starts[user], starts[user + 1])
            covariance = np.linalg.inv(precision + rows[mine].T @ rows[mine] / noise2)
            deviations[user] = covariance @ (rows[mine].T @ target[mine]) / noise2
            moments += covariance + np.outer(deviations[user], deviations[user])
        spread = (moments + 0.05 * np.eye(d)) / (n_users + 1)
        personal = np.einsum("rd,rd->r", rows, deviations[users])
        population = np.linalg.solve(gram, rows.T @ (ratings - personal - offsets[items]))
        residual = ratings - personal - rows @ population
        offset_variance = noise2 / (counts + noise2 / offset2)
        offsets = np.bincount(items, residual, n_items) / (counts + noise2 / offset2)
        offset2 = float(np.mean(offsets**2 + offset_variance))
        noise2 = float(np.mean((residual - offsets[items]) ** 2)) + 1e-6
    return _Fitted(population, deviations, float(np.sqrt(noise2 + offset2)))
