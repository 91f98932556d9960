"""All edits that one catalogue's environment learns from: mined ones and the plain model's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eagle.adapting.changes import NamedChange
from eagle.adapting.drafts import neighbour_drafts, spliced_drafts
from eagle.adapting.mining import Edit, mine
from eagle.adapting.quoting import quoting_edits
from eagle.adapting.stories import Stories, stories_of
from eagle.core.seeding import stream
from eagle.data.corpus import Corpus
from eagle.domains.text import Fields
from eagle.latent.features import TextEmbedder

SPLICED = 1 / 4  # share of the mined edits that are splices [O]
QUOTING = 1 / 2  # share of the mined edits whose action is made of the target [O]


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
    splices, neighbours = spliced_drafts(there, places, embedder), neighbour_drafts(there, places)
    spliced = mine(splices, there, changes, actions, round(wanted * SPLICED))
    taken = {edit.target for edit in spliced}
    quoting = quoting_edits([*splices, *neighbours], there, changes, round(wanted * QUOTING), taken)
    beside = mine(neighbours, there, changes, actions, wanted - len(spliced) - len(quoting))
    return Mined([*spliced, *quoting, *beside], there)
