"""When two actions say the same: overlap of their content words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from eagle.domains.film import FILLERS

#: Content words shared / content words of either (Jaccard) from which two actions count as near-duplicates.
NEAR_DUPLICATE = 0.6
_ARTICLES_AND_THE_LIKE = (
    "a",
    "an",
    "the",
    "it",
    "its",
    "into",
    "in",
    "of",
    "to",
    "and",
    "with",
    "for",
    "from",
    "that",
    "this",
)
_EMPTY = frozenset((*_ARTICLES_AND_THE_LIKE, "make", "turn", "add", "let", "set", "give", "tell", *FILLERS))


def content_words(action: str) -> frozenset[str]:
    """Return an action's words in lower case without filler words and plural endings; all its words where only filler
    is left.
    """
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)*", action.lower().replace("'s", ""))
    content = frozenset(
        w[:-1] if len(w) > 3 and w.endswith("s") and not w.endswith("ss") else w for w in words if w not in _EMPTY
    )
    return content or frozenset(words)


def overlap(first: frozenset[str], second: frozenset[str]) -> float:
    """Return the Jaccard overlap of two sets of words, in [0, 1]; two empty sets overlap fully."""
    union = first | second
    return len(first & second) / len(union) if union else 1.0


def repeats_any(action: str, others: Iterable[str]) -> bool:
    """Say whether an action is a near-duplicate of any other."""
    words = content_words(action)
    return any(overlap(words, content_words(other)) >= NEAR_DUPLICATE for other in others)


def duplicate_rate(actions: Sequence[str]) -> float:
    """Return the share of actions that nearly repeat an earlier one of the list; 0.0 for an empty list."""
    return sum(repeats_any(action, actions[:index]) for index, action in enumerate(actions)) / max(len(actions), 1)
