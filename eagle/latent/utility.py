"""U(z; D): how good a point of the latent space is for a user, and how far it is from what exists.

Follows the paper (section 5.2):
1. U = w_p * preference + w_d * distance (``utility.novelty.kind: sum``); preference = <z_u, z>; distance = sum of the
   Euclidean distances to the 3 nearest catalogue items. z = E_D(text) of the generated text.
Where the paper is silent:
2. Neighbours are those of the generated point, among the encoded catalogue texts (not factor vectors), and the anchor
   counts, so a point on a catalogue item has that item at distance 0.
3. U is given in SD of U over the encoded catalogue (within user, pooled over users), 0 = the user's mean over the
   catalogue.
Differs:
4. Distance is a condition and no part of the sum, unless ``utility.novelty.kind`` is ``sum``: preference is maximised
   among the points that are new enough. Real ratings confirm what preference wins and not what distance wins
   (docs/method.md).
5. Each part is divided by its own SD over the catalogue before weighing (``utility.standardize``): raw, the weights
   would depend on the arbitrary scale of the factors.
6. ``utility.distance: novelty`` divides the mean distance to the nearest distinct catalogue points by those points' own
   mean distance to their neighbours: 1 = as lonely as the neighbourhood is anyway. Measured on the embedded default,
   items with plots, each left out: correlation with the distance from the catalogue's centre .21 (paper's .57), mean
   absolute correlation with preference .13 (.31). ``paper`` is the formula of 1. as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from eagle.config import UtilityConfig
from eagle.core.errors import user_error
from eagle.latent.neighbours import neighbours_among
from eagle.latent.space import LatentSpace


class Distance(Protocol):
    """Distance from the catalogue: points (n, d) in, (n,) out."""

    def __call__(self, z: np.ndarray) -> np.ndarray: ...


class PaperDistance:
    """Sum of the Euclidean distances to the nearest catalogue items."""

    def __init__(self, catalogue: np.ndarray, neighbours: int) -> None:
        self._nearest = neighbours_among(catalogue)
        self._neighbours = neighbours

    def __call__(self, z: np.ndarray) -> np.ndarray:
        total: np.ndarray = self._nearest(z, self._neighbours)[0].sum(axis=1)
        return total


class RelativeDistance:
    """Mean distance to the nearest distinct catalogue points, relative to how far apart those are themselves;
    ``utility.distance: novelty``.
    """

    def __init__(self, catalogue: np.ndarray, neighbours: int) -> None:
        # Items without a plot may share one text, hence one point; counted apart they would make a neighbourhood of
        # size 0.
        distinct = np.unique(np.asarray(catalogue, np.float64), axis=0)
        self._nearest = neighbours_among(distinct)
        self._neighbours = neighbours
        own, _ = self._nearest(distinct, neighbours + 1)
        self._spacing = own[:, 1:].mean(axis=1) if own.shape[1] > 1 else np.ones(len(distinct))

    def __call__(self, z: np.ndarray) -> np.ndarray:
        distance, index = self._nearest(z, self._neighbours)
        relative: np.ndarray = distance.mean(axis=1) / self._spacing[index].mean(axis=1)
        return relative


def _scale(variance: float) -> float:
    """SD to divide by; a part that does not vary over the catalogue is left as it is."""
    return float(np.sqrt(variance)) if variance > 0 else 1.0


@dataclass(frozen=True)
class PaperUtility:
    """U for all users of a latent space; build it with :meth:`fit`."""

    latent: LatentSpace
    config: UtilityConfig
    distance: Distance
    preference_sd: float  # what preference is divided by
    distance_sd: float  # what distance is divided by
    centre: np.ndarray  # (n_users,): each user's mean of w_p * preference + w_d * distance over the catalogue
    unit: float  # pooled within-user SD of that sum over the catalogue

    @classmethod
    def fit(cls, latent: LatentSpace, config: UtilityConfig) -> PaperUtility:
        """Measure scales on the encoded catalogue; EagleError where nothing has a weight."""
        if config.preference_weight == 0 and config.weight_of_distance == 0:
            raise user_error(
                "the utility weighs nothing",
                found=f"utility.preference_weight 0, utility.distance_weight {config.distance_weight:g}, "
                f"utility.novelty.kind {config.novelty.kind}",
                mend="give preference a weight, or distance one with utility.novelty.kind=sum",
            )
        kind = PaperDistance if config.distance == "paper" else RelativeDistance
        distance = kind(latent.item_vectors, config.neighbours)
        items, users = latent.item_vectors.astype(np.float64), latent.user_vectors.astype(np.float64)
        away = distance(items)
        centred = items - items.mean(axis=0)
        # Mean over users of z_u' C z_u, and of z_u' c: second moments suffice, no (n_users, n_items) array.
        preference_variance = np.einsum("ud,de,ue->u", users, centred.T @ centred / len(items), users).mean()
        covariance = float((users @ (centred.T @ (away - away.mean()) / len(items))).mean())
        preference_sd = _scale(preference_variance) if config.standardize else 1.0
        distance_sd = _scale(away.var()) if config.standardize else 1.0
        a, b = config.preference_weight / preference_sd, config.weight_of_distance / distance_sd
        variance = a * a * preference_variance + 2 * a * b * covariance + b * b * away.var()
        centre = a * (users @ items.mean(axis=0)) + b * away.mean()
        return cls(latent, config, distance, preference_sd, distance_sd, centre, _scale(variance))

    def with_tastes(self, tastes: np.ndarray) -> PaperUtility:
        """Return the utility with other user vectors (n_users, d) on the same scales."""
        latent = replace(self.latent, user_vectors=tastes)
        moved = (tastes.astype(np.float64) - self.latent.user_vectors) @ self.latent.item_vectors.astype(
            np.float64
        ).mean(axis=0)
        centre = self.centre + self.config.preference_weight / self.preference_sd * moved
        return replace(self, latent=latent, centre=centre)

    def preference_only(self) -> PaperUtility:
        """Return the utility of the predicted rating alone (the paper's appendix E)."""
        settings = self.config.model_copy(update={"preference_weight": 1.0, "distance_weight": 0.0})
        return PaperUtility.fit(self.latent, settings)

    def parts(self, z: np.ndarray, users: Sequence[str]) -> dict[str, np.ndarray]:
        """Return preference and distance (n,) of points ``z`` (n, d) for ``users`` (n ids), each in its own SD if
        standardized.
        """
        z = np.asarray(z, np.float64)
        taste = self.latent.user_vectors[self.latent.user_index(users)].astype(np.float64)
        preference = np.einsum("nd,nd->n", taste, z) / self.preference_sd
        return {"preference": preference, "distance": self.distance(z) / self.distance_sd}

    def new_enough(self, z: np.ndarray) -> np.ndarray:
        """Return (n,) bool: whether points ``z`` (n, d) are as far from the catalogue as ``utility.novelty`` asks."""
        if self.config.novelty.kind == "sum":
            return np.ones(len(z), dtype=bool)
        enough: np.ndarray = self.distance(np.asarray(z, np.float64)) >= self.config.novelty.least
        return enough

    def __call__(self, z: np.ndarray, users: Sequence[str]) -> np.ndarray:
        """Return U (n,) of points ``z`` (n, d), one user each, in SD of U over the encoded catalogue."""
        parts = self.parts(z, users)
        raw = self.config.preference_weight * parts["preference"] + self.config.weight_of_distance * parts["distance"]
        scaled: np.ndarray = (raw - self.centre[self.latent.user_index(users)]) / self.unit
        return scaled

    def matrix(self, z: np.ndarray, users: Sequence[str]) -> np.ndarray:
        """Return U (n, n_users) of every point ``z`` (n, d) for every one of ``users``."""
        z = np.asarray(z, np.float64)
        rows = self.latent.user_index(users)
        raw = (
            self.config.preference_weight
            / self.preference_sd
            * (z @ self.latent.user_vectors[rows].T.astype(np.float64))
        )
        if self.config.weight_of_distance:
            raw += self.config.weight_of_distance / self.distance_sd * self.distance(z)[:, None]
        scaled: np.ndarray = (raw - self.centre[rows]) / self.unit
        return scaled
