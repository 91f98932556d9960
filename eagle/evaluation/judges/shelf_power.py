"""Which gains could be seen at all: 2.8 standard errors of a mean gain over cases."""

from __future__ import annotations

import numpy as np

from eagle.stats.bootstrap import TwoWayBootstrap

SEEN = 2.8  # standard errors: found in 4 of 5 runs by a two-sided test at 5% (z of .975 and .8: 1.96 + .84)


def smallest_seen(gains: np.ndarray, bootstrap: TwoWayBootstrap) -> float:
    """Return the smallest mean gain that would be seen with these cases, in the unit of ``gains`` (n_cases,).

    Cases that are NaN are left out; NaN where fewer than two are left. The standard error is that of the two-way
    bootstrap over anchors and users, which shares neither between cases by chance.
    """
    return SEEN * bootstrap.standard_error(gains)
