"""Candidate actions of the domain's own writing: one imperative sentence each, short, and strong enough to change what
the item is.

1. Follows the paper (App. C): categories; a generic half, and a half made for a taste.
2. Differs: the paper's big model writes all actions; a small one repeats itself, so most come from the domain's lists,
   and the same ones at the same index for every anchor, which lets the effect of an action be pooled over anchors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from eagle.actions.candidate_list import is_valid_action
from eagle.core.errors import user_error
from eagle.domains.base import Domain


@dataclass(frozen=True)
class Seed:
    """One action text, its category and its half: generic or personalized."""

    action: str
    category: str
    kind: str


def generic_seeds(domain: Domain) -> list[Seed]:
    """Return the generic actions, the categories in turn."""
    labelled = [
        [Seed(text, category, "generic") for text in texts]
        for category, texts in zip(domain.categories, domain.generic_actions(), strict=True)
    ]
    return [seed for row in zip_longest(*labelled) for seed in row if seed is not None]


def personalized_seeds(labels: Sequence[str], domain: Domain) -> list[Seed]:
    """Return the actions made for a taste, those of the most frequent labels first.

    A label that would not make a plain sentence is left out.
    """
    distinct = {text: place for place, text in domain.personal_actions(labels)}
    return [
        Seed(text, domain.categories[place], "personalized")
        for text, place in distinct.items()
        if is_valid_action(text)
    ]


def choose_seeds(labels: Sequence[str], domain: Domain, generic: int, personalized: int) -> list[Seed]:
    """Return the first ``generic`` and ``personalized`` seeds, generic ones first.

    EagleError where there are too few.
    """
    pools = {
        "generic": (generic_seeds(domain), generic),
        "personalized": (personalized_seeds(labels, domain), personalized),
    }
    for kind, (pool, wanted) in pools.items():
        if len(pool) < wanted:
            named = domain.fields.labels.lower() or "typical words"
            raise user_error(
                f"there are not enough {kind} seed actions",
                found=f"{len(pool)} for {len(labels)} {named} of this catalogue",
                expected=f"{wanted}, from actions.per_anchor, personalized_share and llm_written",
                mend="lower actions.per_anchor, or raise actions.llm_written",
            )
    return [seed for pool, wanted in pools.values() for seed in pool[:wanted]]
