"""All edits that one catalogue's environment learns from: mined ones and the plain model's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eagle.adapting.changes import NamedChange
from eagle.adapting.drafts import neighbour_drafts, spliced_drafts
from eagle.adapting.mining import Edit, mine
from eagle.adapting.stories import Stories, stories_of
from eagle.core.seeding import stream
from eagle.data.corpus import Corpus
from eagle.domains.text import Fields
from eagle.latent.features import TextEmbedder

SPLICED = 1 / 3  # share of the mined edits that are splices [O]


@dataclass(frozen=True)
class Mined:
    """The edits found, and the stories that they were found in."""

    edits: list[Edit]
    stories: Stories


def mined_edits(
    corpus: Corpus,
    changes: Sequence[NamedChange],
    embedder: TextEmbedder,
    fields: Fields,
    *,
    max_words: int,
    stories: int,
    wanted: int,
    seed: int,
) -> Mined:
    """Return at most ``wanted`` edits mined from ``stories`` texts of the corpus, drawn at random."""
    order = stream(seed, "stories").permutation(len(corpus.prose))
    drawn = Corpus([corpus.prose[place] for place in order], corpus.held)
    there = stories_of(drawn, embedder, max_words, fields, stories)
    actions = embedder.embed([change.action for change in changes])
    places = range(len(there))
    spliced = mine(spliced_drafts(there, places, embedder), there, changes, actions, round(wanted * SPLICED))
    beside = mine(neighbour_drafts(there, places), there, changes, actions, wanted - len(spliced))
    return Mined([*spliced, *beside], there)
