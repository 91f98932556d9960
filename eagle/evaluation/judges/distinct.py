"""Equal texts in equal cases are judged once."""

from __future__ import annotations

import numpy as np
import pandas as pd


def distinct_rows(pairs: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the distinct rows, and for every row the number of its distinct one, (n_rows,)."""
    row = pairs.groupby(list(pairs), sort=False, dropna=False).ngroup().to_numpy()
    return pairs.iloc[np.unique(row, return_index=True)[1]], row
