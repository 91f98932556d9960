"""A start for utilities of one's own: say what the parts are, and the rest of the contract follows from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from eagle.config import UtilityConfig
from eagle.latent.base import Utility
from eagle.latent.space import LatentSpace
from eagle.latent.utility import PaperUtility


class UtilityOfParts(ABC):
    """U = the weighted sum of :meth:`parts`, less the user's mean over the catalogue, in SD within users over it.

    A subclass defines :meth:`parts` and ``weights``. Every user is valued on every item once, when U is first asked
    for: seconds for a million pairs.
    """

    weights: ClassVar[Mapping[str, float]]

    def __init__(self, latent: LatentSpace, config: UtilityConfig, unit: float | None = None) -> None:
        self.latent = latent
        self.config = config
        self._centre: np.ndarray | None = None
        self._unit = unit

    @classmethod
    def fit(cls, latent: LatentSpace, config: UtilityConfig) -> Self:
        """Return the utility over this catalogue."""
        return cls(latent, config)

    @abstractmethod
    def parts(self, z: np.ndarray, users: Sequence[str]) -> Mapping[str, np.ndarray]:
        """Return what U is made of, by name: (n,) each, of points ``z`` (n, d), one user each."""

    def new_enough(self, z: np.ndarray) -> np.ndarray:
        """Return (n,) bool: every point is, unless a subclass has a condition."""
        return np.ones(len(z), dtype=bool)

    def __call__(self, z: np.ndarray, users: Sequence[str]) -> np.ndarray:
        """Return U (n,) of points ``z`` (n, d), one user each."""
        rows = self.latent.user_index(users)
        centre, unit = self._scales()
        scaled: np.ndarray = (self._raw(z, users) - centre[rows]) / unit
        return scaled

    def matrix(self, z: np.ndarray, users: Sequence[str]) -> np.ndarray:
        """Return U (n, n_users) of every point ``z`` (n, d) for every one of ``users``."""
        return np.stack([self(z, [user] * len(z)) for user in users], axis=1)

    def with_tastes(self, tastes: np.ndarray) -> Self:
        """Return the utility with other user vectors (n_users, d), on the same scale."""
        return type(self)(replace(self.latent, user_vectors=tastes), self.config, self._scales()[1])

    def preference_only(self) -> Utility:
        """Return the utility of the predicted rating alone."""
        settings = self.config.model_copy(update={"preference_weight": 1.0, "distance_weight": 0.0})
        return PaperUtility.fit(self.latent, settings)

    def _raw(self, z: np.ndarray, users: Sequence[str]) -> np.ndarray:
        parts = self.parts(np.asarray(z, np.float64), users)
        total = np.zeros(len(z))
        for name, weight in self.weights.items():
            total += weight * parts[name]
        return total

    def _scales(self) -> tuple[np.ndarray, float]:
        """Every user's mean over the catalogue (n_users,), and the pooled SD within users."""
        if self._centre is None:
            items = self.latent.item_vectors
            values = [self._raw(items, [user] * len(items)) for user in self.latent.users]
            self._centre = np.array([each.mean() for each in values])
            spread = float(np.sqrt(np.mean([each.var() for each in values])))
            self._unit = self._unit or spread or 1.0
        assert self._unit is not None
        return self._centre, self._unit
