"""ELM's own two checks of what a decoder writes (arXiv 2310.04475), on points that it did not learn from.

1. Semantic consistency: cosine between the point of the written text and the point that was asked for. Ours: both less
   the catalogue's mean, which would make any two points alike.
2. Behavioural consistency: does the written text stand where the asked item stands in a user's order? The rank
   correlation, by user, of <z_u, z> of the written texts with <z_u, z> of the asked points.
3. Beside them stand a chance level (the texts of other points) and a yardstick that needs no decoder: the texts of the
   nearest training items.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from eagle.latent.base import TextEncoder
from eagle.methods.elm.decoder import PointWriter
from eagle.methods.elm.pairs import PointTexts

LEAST = 3
"""Texts from which on an order means something."""
SHOWN = 5
"""Written texts that the report quotes."""


@dataclass(frozen=True)
class Consistency:
    """Both checks, and what the first would be for texts of other points; None below LEAST texts."""

    texts: int
    semantic: float | None = None
    semantic_by_chance: float | None = None
    behavioural: float | None = None


def consistency(asked: np.ndarray, got: np.ndarray, middle: np.ndarray, tastes: np.ndarray) -> Consistency:
    """Check points ``got`` (n, d) against points ``asked`` (n, d).

    ``middle`` (d,): the catalogue's mean; ``tastes`` (n_users, d): vectors z_u of users.
    """
    if len(asked) < LEAST:
        return Consistency(len(asked))
    cosines = _directions(asked - middle) @ _directions(got - middle).T
    own = np.eye(len(asked), dtype=bool)
    agreement = (_standard_ranks(asked @ tastes.T) * _standard_ranks(got @ tastes.T)).mean(axis=0)
    return Consistency(len(asked), float(cosines[own].mean()), float(cosines[~own].mean()), float(agreement.mean()))


@dataclass(frozen=True)
class DecoderCheck:
    """What the checks need beside a decoder. ``known`` (m, d): points of the training items; ``tastes``
    (n_users, d): of users whom the encoder was not fitted on.
    """

    encoder: TextEncoder
    known: np.ndarray
    tastes: np.ndarray

    def report(self, writer: PointWriter, held_out: PointTexts, seeds: list[int]) -> dict[str, Any]:
        """Write one text for each held-out point and report both checks, the yardstick, and some texts as they are."""
        written = writer.write(held_out.points, seeds)
        usable = [place for place, answer in enumerate(written) if answer.text is not None]
        texts = [str(written[place].text) for place in usable]
        got = self.encoder.encode(texts, [held_out.years[place] for place in usable])
        asked, middle = held_out.points[usable], self.known.mean(axis=0)
        nearest = self.known[np.linalg.norm(asked[:, None] - self.known[None], axis=2).argmin(axis=1)]
        shown = [{"asked": held_out.texts[place], "written": str(written[place].text)} for place in usable[:SHOWN]]
        return {
            "asked": len(written),
            "usable_share": len(usable) / len(written) if written else None,
            "decoded": asdict(consistency(asked, got, middle, self.tastes)),
            "nearest_item": asdict(consistency(asked, nearest, middle, self.tastes)),
            "shown": shown,
        }


def _directions(points: np.ndarray) -> np.ndarray:
    found: np.ndarray = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)
    return found


def _standard_ranks(values: np.ndarray) -> np.ndarray:
    """Return the ranks down each column (n, n_users), mean 0 and variance 1; all 0 where all values are equal."""
    ranks = rankdata(values, axis=0)
    ranks = ranks - ranks.mean(axis=0)
    found: np.ndarray = ranks / np.maximum(ranks.std(axis=0), 1e-12)
    return found
