"""The longest run of words that a text has in common with any of many others: word for word, in one piece.

Runs are looked up by a 64-bit hash of their words, a whole batch at once. Two different runs with one hash would look
alike, which happens in one of ten million catalogues with a million words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np

from eagle.environment.checks import tokens

MOST = 12  # words: a run as long as this is copied, however much longer it goes on [O]
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so that the product tells all numbers apart
_SHIFT = np.uint64(29)


@cache
def _number(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def _mixed(numbers: np.ndarray) -> np.ndarray:
    product = numbers * _FACTOR
    mixed: np.ndarray = product ^ (product >> _SHIFT)
    return mixed


class _Words:
    """The words of many texts in one row of numbers."""

    def __init__(self, texts: Sequence[str]) -> None:
        said = [tokens(text) for text in texts]
        self._numbers = np.array([_number(word) for one in said for word in one], np.uint64)
        self._text = np.repeat(np.arange(len(said)), np.array([len(one) for one in said], int))
        self._left = np.array([left for one in said for left in range(len(one), 0, -1)], int)

    def runs(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (hash, row of the text) of every run of ``length`` words: two arrays (n_runs,)."""
        starts = np.flatnonzero(self._left >= length)
        hashes = np.zeros(len(starts), np.uint64)
        for place in range(length):
            hashes = _mixed(hashes + self._numbers[starts + place])
        return hashes, self._text[starts]


class CommonRuns:
    """Runs of words of ``texts``; equal texts count as one. Runs of more than ``most`` words are not looked for."""

    def __init__(self, texts: Iterable[str], most: int = MOST) -> None:
        self.most = most
        self.texts = tuple(dict.fromkeys(texts))
        self._among = frozenset(self.texts)
        self._words = _Words(self.texts)
        self._known: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def has(self, texts: Sequence[str], length: int, besides: Sequence[str] | None = None) -> np.ndarray:
        """Whether each text shares a run of ``length`` words with one of the others, (n,) bool.

        ``besides``: for each text one of the others that does not count, such as the text itself; any text that is none
        of them leaves nothing out.
        """
        if length > self.most:
            return np.zeros(len(texts), bool)
        hashes, rows = _Words(texts).runs(length)
        shared = self._counts(hashes, length)
        if besides is not None:
            left_out = [text if text in self._among else "" for text in besides]
            theirs, their_rows = _Words(left_out).runs(length)
            shared = shared - np.isin(_of_row(hashes, rows), _of_row(theirs, their_rows))
        return np.bincount(rows[shared > 0], minlength=len(texts)) > 0

    def longest(self, texts: Sequence[str], besides: Sequence[str] | None = None) -> np.ndarray:
        """Return how many words the longest such run has for each text, (n,) int, ``most`` at most."""
        longest, rows = np.zeros(len(texts), int), np.arange(len(texts))
        for length in range(1, self.most + 1):
            if not len(rows):
                break
            asked = rows.tolist()
            left_out = None if besides is None else [besides[row] for row in asked]
            rows = rows[self.has([texts[row] for row in asked], length, left_out)]
            longest[rows] = length
        return longest

    def _counts(self, hashes: np.ndarray, length: int) -> np.ndarray:
        """Return how many of the texts have each run, (n,)."""
        if length not in self._known:
            found, rows = self._words.runs(length)
            order = np.lexsort((rows, found))
            found, rows = found[order], rows[order]
            once = np.append(True, (found[1:] != found[:-1]) | (rows[1:] != rows[:-1]))[: len(found)]
            self._known[length] = np.unique(found[once], return_counts=True)
        runs, counts = self._known[length]
        if not len(runs):
            return np.zeros(len(hashes), int)
        place = np.minimum(np.searchsorted(runs, hashes), len(runs) - 1)
        many: np.ndarray = np.where(runs[place] == hashes, counts[place], 0)
        return many


def _of_row(hashes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return hashes that are alike for runs of one row only."""
    return _mixed(hashes + _mixed(rows.astype(np.uint64) + np.uint64(1)))
