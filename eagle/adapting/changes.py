"""The actions that edits are mined for: those of the domain, each with what it names and which words tell it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from eagle.actions.candidate_list import is_valid_action
from eagle.actions.seeds import generic_seeds
from eagle.domains.base import Domain
from eagle.domains.text import Description
from eagle.environment.checks import words

LONG = 4  # letters: shorter words tell nothing of a text [O]
COMMON = 0.03  # share of actions above which a word tells nothing of one [O: hero, main, character]


@dataclass(frozen=True)
class NamedChange:
    """One action; ``label`` is what it names of the catalogue's labels, or of its typical words where it has none, if
    it names one; ``telling`` its own words.
    """

    action: str
    label: str | None
    telling: frozenset[str]


def telling_words(text: str) -> frozenset[str]:
    """Return the words of a text by which it can be told, lower case: no short and no common ones."""
    return frozenset(word for word in words(text) if len(word) >= LONG and word not in ENGLISH_STOP_WORDS)


def labels_in(text: Description) -> frozenset[str]:
    """Return what a change may name of a text: its labels or, in a catalogue without, the words of its plot."""
    return frozenset(text.genres if text.fields.labels else words(text.plot))


def changes_of(domain: Domain, labels: Sequence[str]) -> list[NamedChange]:
    """Return the domain's actions: the generic ones, those of every label, those for any taste.

    Mixes of two labels are left out.
    """
    shared = [seed.action for seed in generic_seeds(domain)] + [action for _, action in domain.personal_actions(())]
    named = dict.fromkeys(shared) | {
        action: label
        for label in labels
        for _, action in domain.personal_actions((label,))
        if action not in shared and is_valid_action(action)
    }
    told = {action: telling_words(" ".join(action.split()[1:])) for action in named}
    often = Counter(word for telling in told.values() for word in telling)
    return [
        NamedChange(
            action, label, frozenset(word for word in told[action] if often[word] <= max(2, COMMON * len(named)))
        )
        for action, label in named.items()
    ]
