"""Defects: a text that is no description at all, by one rule for every catalogue.

A text is asked three things, each in its own place:
1. Can it be the next state? Else the change failed, with a cause: :mod:`eagle.environment.checks`.
2. Is it defective? The rule below needs nothing to calibrate on, so that shares of defects compare between catalogues.
3. Is it broken, that is, beyond what the catalogue's own texts do? :mod:`eagle.quality.gates`, which decide what a
   search may keep.
"""

from __future__ import annotations

from collections import Counter

from eagle.quality.measures import body

MIN_PLOT_WORDS = 5
SAME_TRIPLE = 3  # times


def defective(text: str) -> bool:
    """Return whether a text has hardly any plot, or says the same three words over and over."""
    plot = body(text).lower().split()
    triples = Counter(zip(plot, plot[1:], plot[2:], strict=False))
    return len(plot) < MIN_PLOT_WORDS or max(triples.values(), default=0) >= SAME_TRIPLE
