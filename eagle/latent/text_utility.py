"""U of texts: the encoder and the utility as one function, and which texts may be kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eagle.latent.utilities import finite

if TYPE_CHECKING:
    from eagle.latent.base import TextEncoder, Utility


@dataclass(frozen=True)
class Valued:
    """What texts are worth to their users, (n,) each."""

    utility: np.ndarray
    """U in SD over the catalogue."""
    preference: np.ndarray
    """The part of U that is the predicted rating, in its own SD; NaN where a utility of one's own has no such part."""
    distance: np.ndarray
    """The part of U that is the distance from the catalogue, likewise."""
    new: np.ndarray
    """bool: as far from the catalogue as the utility asks."""
    whole: np.ndarray
    """bool: no gate of the text's quality is failed."""

    @property
    def eligible(self) -> np.ndarray:
        """(n,) bool: what a search may keep."""
        found: np.ndarray = self.new & self.whole
        return found


@dataclass(frozen=True)
class TextUtility:
    """U of texts: the encoder and the utility as one function, and what makes a text eligible."""

    encoder: TextEncoder
    utility: Utility
    broken: Callable[[Sequence[str], Sequence[str] | None], np.ndarray] | None = None
    """Says of texts, and of what each was made from, whether they are broken, (n,) bool; None where no text is."""

    def __call__(self, texts: Sequence[str], years: Sequence[int | None], users: Sequence[str]) -> np.ndarray:
        """Return U (n,), in SD over the catalogue, of each text for its user."""
        return finite(self.utility(self.encoder.encode(texts, years), users))

    def value(
        self,
        texts: Sequence[str],
        years: Sequence[int | None],
        users: Sequence[str],
        made_from: Sequence[str] | None = None,
    ) -> Valued:
        """Return what each text is worth to its user, and whether it may be kept.

        ``made_from``: the anchors' texts, whose words each text may keep.
        """
        pairs = list(zip(texts, years, strict=True))
        place = {pair: row for row, pair in enumerate(dict.fromkeys(pairs))}
        row = np.array([place[pair] for pair in pairs], dtype=int)
        said = [text for text, _ in place]
        z = self.encoder.encode(said, [year for _, year in place])
        new = np.asarray(self.utility.new_enough(z), dtype=bool)
        whole = np.ones(len(row), dtype=bool) if self.broken is None else ~self.broken(texts, made_from)
        parts, unknown = self.utility.parts(z[row], users), np.full(len(row), np.nan)
        return Valued(
            utility=finite(self.utility(z[row], users)),
            preference=np.asarray(parts.get("preference", unknown), dtype=np.float64),
            distance=np.asarray(parts.get("distance", unknown), dtype=np.float64),
            new=new[row],
            whole=whole,
        )
