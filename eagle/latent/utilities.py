"""How the utility that params.yaml names is fitted."""

from __future__ import annotations

import numpy as np

from eagle.built_in.utilities import UTILITIES
from eagle.config import UtilityConfig
from eagle.core.errors import user_error
from eagle.core.parts import load_part
from eagle.latent.base import Utility
from eagle.latent.space import LatentSpace


def finite(utility: np.ndarray) -> np.ndarray:
    """Return U (n,) as float64; EagleError where a value is no finite number, which no ranking and no file may hold."""
    values = np.asarray(utility, dtype=np.float64)
    wrong = int(np.count_nonzero(~np.isfinite(values)))
    if wrong:
        raise user_error(
            "the utility of a text is no finite number",
            found=f"{wrong} of {values.size} values are NaN or infinite",
            mend="the encoder or the utility is damaged: run `dvc repro -f encoder`, or register the agent anew",
        )
    return values


def fit_utility(latent: LatentSpace, config: UtilityConfig) -> Utility:
    """Return the utility that ``utility.kind`` names, measured on the encoded catalogue."""
    kind: type[Utility] = load_part("utility", config.kind, UTILITIES)
    return kind.fit(latent, config)
