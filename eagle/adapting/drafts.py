"""Possible edits of real texts: a source for every target, before it is known which action leads from one to the other.

1. A neighbour: one of the target's nearest stories with other labels, where the catalogue has labels.
2. A splice: the target's first sentence, or clause where it has one sentence, with the rest of a neighbour. It
   teaches to keep what a text tells first, which neighbours do not. A source may be bad grammar; every target is a real
   text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from eagle.adapting.stories import Stories
from eagle.domains.text import Description
from eagle.environment.sentences import sentences_in
from eagle.latent.features import TextEmbedder

NEIGHBOURS = 12  # nearest stories that may be a source [M: 30 lose the source]
LEAST, MOST = 0.45, 0.85  # cosine of source and target [M: from .35 on the source is lost; above is the same film]
SPLICES = 3  # sources made from one target [O: time]
HALF = 4  # words of each half of a text that is spliced, at least [O]
OWN = 0.5  # how much of the source is taken off the target to see what changed [M]
_CLAUSES = re.compile(r"(?<=,)\s+|\s+(?=(?:and|but|who|whose|when|where|while|after|before|until|because|which)\s)")


@dataclass(frozen=True)
class EditDraft:
    """A source and the place of its target; ``change`` (d,) is the direction that leads from one to the other."""

    kind: str
    target: int
    source: Description
    change: np.ndarray


def neighbour_drafts(stories: Stories, targets: Sequence[int]) -> list[EditDraft]:
    """Return the sources of each target among its neighbours."""
    return [
        EditDraft("neighbour", target, stories.texts[source], stories.vectors[target] - OWN * stories.vectors[source])
        for target, sources in _neighbours(stories, targets).items()
        for source in sources
        if not stories.texts[target].fields.labels
        or set(stories.texts[source].genres) != set(stories.texts[target].genres)
    ]


def spliced_drafts(stories: Stories, targets: Sequence[int], embedder: TextEmbedder) -> list[EditDraft]:
    """Return the sources of each target of two halves that are spliced of it and of a neighbour of such halves."""
    halved = [halves(text.plot) for text in stories.texts]
    sentences = [len(sentences_in(text.plot)) > 1 for text in stories.texts]
    alike = {
        target: [source for source in sources if halved[source] and sentences[source] == sentences[target]]
        for target, sources in _neighbours(stories, [target for target in targets if halved[target]]).items()
    }
    pairs = [(target, source) for target, sources in alike.items() for source in sources[:SPLICES]]
    last = {text: halved[text][1] for pair in pairs for text in pair}
    vectors = dict(zip(last, embedder.embed(list(last.values())), strict=True))
    return [
        EditDraft(
            "splice",
            target,
            _spliced(stories.texts[target], stories.texts[source], halved[target][0], last[source]),
            vectors[target] - OWN * vectors[source],
        )
        for target, source in pairs
    ]


def halves(plot: str) -> tuple[str, ...]:
    """Return a text's first sentence and the rest, or its first clause and the rest where it is one sentence.

    Each has HALF words at least; nothing where a text has no such halves.
    """
    sentences = sentences_in(plot)
    parts = sentences if len(sentences) > 1 else _CLAUSES.split(plot)
    for cut in range(1, len(parts)):
        first, rest = " ".join(parts[:cut]), " ".join(parts[cut:])
        if min(len(first.split()), len(rest.split())) >= HALF:
            return first, rest
    return ()


def _spliced(target: Description, source: Description, first: str, rest: str) -> Description:
    """The target's first half and the source's second; labels of both, so that an action may bring one in."""
    common = [label for label in target.genres if label in source.genres]
    return replace(source, genres=tuple(common) or source.genres, plot=f"{first} {rest}")


def _neighbours(stories: Stories, targets: Sequence[int]) -> dict[int, list[int]]:
    """Return the nearest stories of each target within the bounds, nearest first."""
    if not len(targets):
        return {}
    cosines = stories.vectors[list(targets)] @ stories.vectors.T
    order = np.argsort(-cosines, axis=1, kind="stable")
    return {
        target: [int(i) for i in row if LEAST <= near[i] <= MOST and i != target][:NEIGHBOURS]
        for target, row, near in zip(targets, order[:, : 4 * NEIGHBOURS], cosines, strict=True)
    }
