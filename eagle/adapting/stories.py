"""The corpus cut to the form of a state's text, without what is near to a held-out item's text.

Near is: a run of SHARED words in a row that the whole held-out text has too, or a cosine of NEAR and more by the
sentence model between the two as cut.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eagle.data.corpus import Corpus
from eagle.domains.text import Description, Fields
from eagle.environment.checks import repeats, words
from eagle.environment.describe import shorten
from eagle.environment.prompts import clean
from eagle.latent.features import TextEmbedder

SHARED = 8  # words in a row [O: names and set phrases are shorter]
NEAR = 0.85  # cosine [O: two tellings of one film; other films of one subject have .4 to .8]
LEAST_WORDS = 12  # METHOD's, of a text that is learned from
_ENDS = (".", "!", "?", '"', "'", ")", "”")
_SENTENCES = re.compile(r"(?<=[.!?])[\"')\]]*\s+")
_MARKUP = re.compile(r"[{}|\[\]<>]")


@dataclass(frozen=True)
class Stories:
    """Texts to learn from, in the form of states, and their unit vectors (n, d)."""

    texts: list[Description]
    vectors: np.ndarray

    def __len__(self) -> int:
        return len(self.texts)


def runs_of_words(text: str, length: int = SHARED) -> set[tuple[str, ...]]:
    """Return all runs of so many words in a row."""
    said = words(text)
    return {tuple(said[start : start + length]) for start in range(len(said) - length + 1)}


def sentences_of(plot: str) -> list[str]:
    """Return the sentences of a plot, each with its end."""
    return [part for part in _SENTENCES.split(plot) if part]


def stories_of(corpus: Corpus, embedder: TextEmbedder, max_words: int, fields: Fields, at_most: int) -> Stories:
    """Return the texts of the corpus as whole sentences of ``max_words`` words together, the first ``at_most`` of them.

    Left out are texts whose first sentence is longer, that are shorter than LEAST_WORDS, repeat themselves or carry
    markup, and those near to a held-out text.
    """
    held_runs = {run for text in corpus.held for run in runs_of_words(text)}
    found = []
    for prose in corpus.prose:
        plot = shorten(prose.text, max_words, fields)
        if whole(prose.text, plot) and held_runs.isdisjoint(runs_of_words(prose.text)):
            found.append(Description(prose.labels, plot, fields))
    distinct = list({text.plot: text for text in found}.values())[:at_most]
    vectors = embedder.embed([text.plot for text in distinct])
    apart = ~near(vectors, embedder.embed([shorten(text, max_words, fields) for text in corpus.held]))
    return Stories([text for text, fine in zip(distinct, apart, strict=True) if fine], vectors[apart])


def whole(text: str, plot: str) -> bool:
    """Whether ``plot``, cut from ``text``, is of whole sentences, long enough, without markup and repetition."""
    kept = clean(text).startswith(plot) and plot.endswith(_ENDS)
    return kept and len(words(plot)) >= LEAST_WORDS and not _MARKUP.search(plot) and not repeats(plot)


def near(vectors: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Say which of the unit vectors (n, d) are near to one of ``held`` (m, d)."""
    if not len(held) or not len(vectors):
        return np.zeros(len(vectors), bool)
    close: np.ndarray = (vectors @ held.T).max(axis=1) >= NEAR
    return close


class WordRuns:
    """All runs of words of some texts, by length, made when a length is first asked for."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._runs: dict[int, set[tuple[str, ...]]] = {}

    def longest(self, text: str) -> int:
        """Return the length of the longest run of words that ``text`` shares with one of the texts."""
        length = 0
        while not runs_of_words(text, length + 1).isdisjoint(self._of(length + 1)):
            length += 1
        return length

    def _of(self, length: int) -> set[tuple[str, ...]]:
        if length not in self._runs:
            self._runs[length] = {run for text in self._texts for run in runs_of_words(text, length)}
        return self._runs[length]
