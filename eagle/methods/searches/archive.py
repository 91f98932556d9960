"""The archive of quality diversity: the best text of each region of the latent space.

CVT-MAP-Elites (Vassiliades 2018) by pyribs: regions are those nearest to a few centroids. The centroids are k-means
centres of the training items, so that there are more regions where the catalogue has more items.

pyribs is imported when an archive is first made, since it takes seconds. Texts enter one by one: ``CVTArchive.add`` has
numba compile a function first, for about 20 s in every process, ``add_single`` does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.cluster import KMeans

if TYPE_CHECKING:
    from eagle.latent.space import LatentSpace


@dataclass(frozen=True)
class ArchiveFigures:
    """How much of the latent space one case's archive fills, and how well.

    ``coverage``: share of the regions with a text. ``quality``: QD score, the sum over the regions of their best gain
    over the anchor, SD of U.
    """

    coverage: float
    quality: float


def centroids_of(latent: LatentSpace, regions: int, seed: int) -> np.ndarray:
    """Return (at most ``regions``, d): k-means centres of the training items; fewer items give fewer regions."""
    points = np.unique(latent.item_vectors[latent.train_items].astype(np.float64), axis=0)
    means = KMeans(min(regions, len(points)), n_init=4, random_state=seed % 2**32).fit(points)
    return np.asarray(means.cluster_centers_)


class TextArchive:
    """One case's archive; a text is known by its place among the case's."""

    def __init__(self, centroids: np.ndarray) -> None:
        """Make an empty archive with one region for each of ``centroids`` (regions, d)."""
        from ribs.archives import CVTArchive

        ranges = list(zip(centroids.min(axis=0), centroids.max(axis=0), strict=True))
        self._archive = CVTArchive(solution_dim=(), centroids=centroids, ranges=ranges, solution_dtype=np.int64)

    def add(self, place: int, gain: float, point: np.ndarray) -> None:
        """Offer a text at ``point`` (d,): it stays where its region has none with as high a gain."""
        self._archive.add_single(place, gain, point)

    @property
    def elites(self) -> list[int]:
        """Places of the texts in the archive, in order of their regions."""
        data = self._archive.data(["index", "solution"])
        return [int(place) for _, place in sorted(zip(data["index"], data["solution"], strict=True))]

    @property
    def figures(self) -> ArchiveFigures:
        """How far the archive is filled."""
        return ArchiveFigures(float(self._archive.stats.coverage), float(self._archive.stats.qd_score))
