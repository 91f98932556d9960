"""The confirmed share: how much of the gain that U promises real ratings confirm."""

from __future__ import annotations

import numpy as np

from eagle.stats.bootstrap import TwoWayBootstrap
from eagle.stats.intervals import Estimate


def confirmed(promised: np.ndarray, shelf: np.ndarray, bootstrap: TwoWayBootstrap) -> Estimate:
    """Return the mean gain on the hidden shelf over the mean gain that U promises, over cases that have both.

    Parameters
    ----------
    promised: (n_cases,) gain in preference over the anchor, in stars: preference is <z_u, z>, a predicted rating less
        what every text has in common, column ``preference_stars`` of
        :func:`eagle.evaluation.scoring.in_stars`. Novelty is no promise of a rating and is left out.
    shelf: (n_cases,) ``shelf_stars``; NaN for users with too few hidden ratings, whose cases are left out.
    bootstrap: of the cases.

    1 is a promise that is kept, 0 one of which real ratings know nothing; below 0 they speak against it. NaN where U
    promises no gain, NaN ends where its gain cannot be told from 0.
    """
    return bootstrap.ratio(shelf, promised)
