"""The table of utilities, and how to fit the one that params.yaml names."""

from __future__ import annotations

from eagle.config import UtilityConfig
from eagle.core.parts import load_part
from eagle.latent.base import Utility
from eagle.latent.space import LatentSpace

UTILITIES = {"paper": "eagle.latent.utility:PaperUtility"}


def fit_utility(latent: LatentSpace, config: UtilityConfig) -> Utility:
    """Return the utility that ``utility.kind`` names, measured on the encoded catalogue."""
    kind: type[Utility] = load_part("utility", config.kind, UTILITIES)
    return kind.fit(latent, config)
