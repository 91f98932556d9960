"""How well the shelf foretells real ratings within people: sums over each person, and figures from resampled people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from eagle.core.seeding import stream
from eagle.stats.intervals import Estimate, cluster_interval
from eagle.stats.ranking import centred

FEWEST = 2  # rows of a group that can be compared with each other


@dataclass(frozen=True)
class Foretold:
    """Rows in which a rating was foretold without itself.

    ``group`` (n,) int: within which rows are compared, a person or a cluster. ``cluster`` (n,) int: what is resampled.
    ``said``, ``real`` (n,). ``halves`` (2, m, n): said by two halves of the ratings, in m divisions; m may be 0.
    """

    group: np.ndarray
    cluster: np.ndarray
    said: np.ndarray
    real: np.ndarray
    halves: np.ndarray

    def scaled(self, scale: float) -> Foretold:
        """Return the same with all that is said multiplied."""
        return replace(self, said=scale * self.said, halves=scale * self.halves)

    @cached_property
    def sums(self) -> np.ndarray:
        """Per cluster: said x real, said squared, real squared, half x half, all within groups; (4, n_clusters)."""
        known = np.isfinite(self.said) & np.isfinite(self.halves).all(axis=(0, 1))
        group = np.unique(self.group[known], return_inverse=True)[1]
        known[known] = np.bincount(group)[group] >= FEWEST if len(group) else False
        names, cluster = np.unique(self.cluster[known], return_inverse=True)
        group, said = self.group[known], self.said[known]
        said, real = centred(group, said), centred(group, self.real[known])
        first, second = ([centred(group, half[known]) for half in halves] for halves in self.halves)
        between = [a * b for a, b in zip(first, second, strict=True)]
        products = [said * real, said * said, real * real, sum(between, np.zeros(len(said))) / max(len(between), 1)]
        return np.array([np.bincount(cluster, product, len(names)) for product in products])

    def correlation(self, seed: int, resamples: int, confidence: float) -> Estimate:
        """Return the pooled correlation within groups of what is said and what is real."""
        return self._figure(lambda s: s[0] / np.sqrt(s[1] * s[2]), seed, resamples, confidence)

    def behind_one(self, seed: int, resamples: int, confidence: float) -> Estimate:
        """Return how many real stars stand behind one star of a mean of what is said.

        cov(said, real) / cov(half, other half): a mean near a text is noisy and smooth. Noise falls out of means over
        many texts and so it must not enter here, as it would in a regression on what is said; smoothness stays.
        """
        return self._figure(lambda s: s[0] / s[3], seed, resamples, confidence)

    def _figure(
        self, of_sums: Callable[[np.ndarray], np.ndarray], seed: int, resamples: int, confidence: float
    ) -> Estimate:
        return cluster_interval(of_sums, self.sums, stream(seed, "shelf", "bootstrap"), resamples, confidence)
