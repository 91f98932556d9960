"""The corpus cut to the form of a state's text, without what is near to a held-out item's text.

Near is: a run of SHARED words in a row that the whole held-out text has too, or a cosine of NEAR and more by the
sentence model between the two as cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from eagle.data.corpus import Corpus
from eagle.domains.text import Description, Fields
from eagle.environment.checks import repeats, tokens
from eagle.environment.describe import shorten
from eagle.environment.prompts import clean
from eagle.latent.features import TextEmbedder
from eagle.quality.runs import CommonRuns

SHARED = 8  # words in a row [O: names and set phrases are shorter]
NEAR = 0.85  # cosine [O: two tellings of one film; other films of one subject have .4 to .8]
LEAST_WORDS = 12  # of a text that is learned from [M: a prototype]
_ENDS = (".", "!", "?", '"', "'", ")", "”")
_MARKUP = re.compile(r"[{}|\[\]<>]")


@dataclass(frozen=True)
class Stories:
    """Texts to learn from, in the form of states, and their unit vectors (n, d)."""

    texts: list[Description]
    vectors: np.ndarray

    def __len__(self) -> int:
        return len(self.texts)


def stories_of(corpus: Corpus, embedder: TextEmbedder, max_words: int, fields: Fields, at_most: int) -> Stories:
    """Return the texts of the corpus as whole sentences of ``max_words`` words together, the first ``at_most`` of them.

    Left out are texts whose first sentence is longer, that are shorter than LEAST_WORDS, repeat themselves or carry
    markup, and those near to a held-out text.
    """
    cut = [shorten(prose.text, max_words, fields) for prose in corpus.prose]
    fine = [(prose, plot) for prose, plot in zip(corpus.prose, cut, strict=True) if whole(prose.text, plot)]
    shared = CommonRuns(corpus.held).has([prose.text for prose, _ in fine], SHARED)
    found = [
        Description(prose.labels, plot, fields) for (prose, plot), known in zip(fine, shared, strict=True) if not known
    ]
    distinct = list({text.plot: text for text in found}.values())[:at_most]
    vectors = embedder.embed([text.plot for text in distinct])
    apart = ~near(vectors, embedder.embed([shorten(text, max_words, fields) for text in corpus.held]))
    return Stories([text for text, fine in zip(distinct, apart, strict=True) if fine], vectors[apart])


def whole(text: str, plot: str) -> bool:
    """Whether ``plot``, cut from ``text``, is of whole sentences, long enough, without markup and repetition."""
    kept = clean(text).startswith(plot) and plot.endswith(_ENDS)
    return kept and len(tokens(plot)) >= LEAST_WORDS and not _MARKUP.search(plot) and not repeats(plot)


def near(vectors: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Say which of the unit vectors (n, d) are near to one of ``held`` (m, d)."""
    if not len(held) or not len(vectors):
        return np.zeros(len(vectors), bool)
    close: np.ndarray = (vectors @ held.T).max(axis=1) >= NEAR
    return close
