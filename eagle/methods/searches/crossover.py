"""Crossover of two texts, as an action on the first that carries the second: its labels and its first sentence.

Measured with SmolLM2-135M on 36 pairs of texts of validation anchors, as shares of the plots' content words: "Make it
horror and bring in this: ..." kept .49 of the first plot and had .43 of the second, at least a fifth of both in 49% of
the children; "Mix it with this film: ..." .35, .43 and 42%; "Combine it with another film: ..." with the whole other
text .31, .68 and 38%.
"""

from __future__ import annotations

from collections.abc import Callable

from eagle.domains.base import Domain
from eagle.domains.text import Description
from eagle.environment.sentences import sentences_in

#: Words of the other text that an action quotes, as the first sentence of a usual text has.
QUOTED_WORDS = 20


def crossover(domain: Domain) -> Callable[[str], str]:
    """Return what makes an action of a text, "Make it war and comedy and bring in this: A spy falls in love."."""

    def crossing(text: str) -> str:
        try:
            other = Description.parse(text, domain.fields)
        except ValueError:  # an own environment may write any line
            other = Description((), text, domain.fields)
        orders = [f"make it {' and '.join(other.genres)}"] if other.genres else []
        orders += [f"bring in this: {_opening(other.plot)}"] if other.plot else []
        action = " and ".join(orders)
        return action[:1].upper() + action[1:]

    return crossing


def _opening(said: str) -> str:
    """Return the first sentence, at most :data:`QUOTED_WORDS` words of it."""
    first = next(iter(sentences_in(said)), "")
    return " ".join(first.split()[:QUOTED_WORDS])
