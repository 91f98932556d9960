"""The listed actions of an anchor, and what counts as a valid action when the policy writes freely."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from eagle.actions.stored import read_actions
from eagle.core.errors import user_error
from eagle.domains.film import STATEMENT_WORDS

#: Words of a valid action; an imperative sentence of the paper's samples has 3 to 15.
SHORTEST, LONGEST = 2, 20
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
#: What opens a statement, a label or a question rather than an order.
_ARTICLES = ("a", "an", "the", "this", "that", "these", "those", "his", "her", "their", "my", "our", "your")
_SUBJECTS = ("he", "she", "it", "they", "we", "you", "i", "user", "action", *STATEMENT_WORDS)
_VERBS = ("likes", "dislikes", "is", "are", "was", "were", "has", "have", "there", "here")
_QUESTIONS = ("what", "why", "who", "how", "when", "where", "because", "and", "or", "but")
_PREPOSITIONS = ("of", "in", "on", "at", "for", "with", "by", "to", "from", "as", "if")
_NOT_IMPERATIVE = frozenset(_ARTICLES + _SUBJECTS + _VERBS + _QUESTIONS + _PREPOSITIONS)


def is_valid_action(text: str) -> bool:
    """Say whether a text reads as one imperative sentence of 2 to 20 words (starts with a capital, one sentence, no
    label).
    """
    words = _WORD.findall(text)
    stripped = text.strip()
    if not SHORTEST <= len(words) <= LONGEST or "\n" in stripped or ":" in stripped:
        return False
    if not stripped[0].isupper() or words[0].lower() in _NOT_IMPERATIVE or not stripped.isprintable():
        return False
    return re.search(r"[.!?]\s+\S", stripped) is None and stripped[-1] != "?"


@dataclass(frozen=True)
class CandidateList:
    """Candidate actions by anchor. An anchor without its own list (held out) gets the shared ones."""

    shared: tuple[str, ...]
    by_anchor: dict[str, tuple[str, ...]]
    splits: dict[str, str]

    def of(self, anchor: str) -> tuple[str, ...]:
        """Return the K actions of an anchor in the order of ``action_index``."""
        return self.by_anchor.get(anchor, self.shared)

    def anchors(self, split: str) -> list[str]:
        """Return the anchors of a split ("train" or "validation") that have cached transitions."""
        return [anchor for anchor, found in self.splits.items() if found == split]

    @classmethod
    def from_table(cls, table: pd.DataFrame) -> CandidateList:
        """Read the ``actions`` table."""
        ordered = table.sort_values(["anchor", "action_index"], kind="stable")
        shared = tuple(dict.fromkeys(ordered.loc[ordered["origin"] == "seed", "action"]))
        if not shared:
            raise user_error(
                "no action is shared by all anchors, so a held-out anchor would have none",
                mend="set actions.llm_written below actions.per_anchor",
            )
        groups = {
            str(anchor): tuple(dict.fromkeys(rows["action"])) for anchor, rows in ordered.groupby("anchor", sort=True)
        }
        splits = dict(zip(ordered["anchor"].astype(str), ordered["split"].astype(str), strict=True))
        return cls(shared, groups, splits)

    @classmethod
    def load(cls, path: Path) -> CandidateList:
        """Read ``data/actions.parquet``."""
        return cls.from_table(read_actions(path))


def bare(action: str) -> str:
    """Return an action without what does not make it another one: case, spaces around it, the mark at its end."""
    return action.strip().rstrip(".!").lower()


def is_in(action: str, others: Iterable[str]) -> bool:
    """Say whether an action is one of the others, or would be but for what :func:`bare` leaves out."""
    return bare(action) in map(bare, others)


def unused(actions: Sequence[str], history: Sequence[str]) -> list[str]:
    """Return the actions not in ``history``; all of them where every one was used."""
    return [a for a in actions if not is_in(a, history)] or list(actions)


def available(actions: Sequence[str], history: Sequence[str], *, repeat: bool) -> list[str]:
    """Return the actions that may be taken: all where one may come twice, else :func:`unused` ones."""
    return list(actions) if repeat else unused(actions, history)
