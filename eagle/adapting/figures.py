"""What is said of an environment's texts: are they whole, do they keep the item, do they follow the action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eagle.adapting.changes import NamedChange, labels_in, telling_words
from eagle.adapting.stories import SHARED
from eagle.domains.text import Description
from eagle.environment.rewrite import Rewrite
from eagle.quality.measures import repeated_triples
from eagle.quality.runs import CommonRuns

LONGEST = 1000  # words of a run that are counted: more than a text has


@dataclass(frozen=True)
class EnvironmentFigures:
    """Shares over the first answers to all requests; those of ``kept`` on are means over what is neither failed nor a
    copy.

    ``whole``: neither failed nor a copy nor with a repeated word triple; ``kept``: of the item's telling words;
    ``said``: of the action's telling words that the item lacks; ``followed``: texts with the label that their action
    names; ``remembered``: texts that share SHARED words in a row with a text of the corpus; ``longest_run``: the most.
    """

    texts: int
    whole: float
    failed: float
    copied: float
    repeated: float
    kept: float
    said: float
    followed: float
    remembered: float
    longest_run: int


def kept_words(before: str, after: str) -> float:
    """Return which share of a text's telling words stands in another, 0 where it has none."""
    own = telling_words(before)
    return len(own & telling_words(after)) / max(1, len(own))


def said_words(change: NamedChange, before: str, after: str) -> float:
    """Return which share of the action's telling words that the text lacked stands in it now."""
    asked = change.telling - telling_words(before)
    return len(asked & telling_words(after)) / max(1, len(asked))


def figures_of(
    texts: Sequence[str], changes: Sequence[NamedChange], answers: Sequence[Rewrite], corpus: Sequence[str]
) -> EnvironmentFigures:
    """Return the figures of the answers to ``texts`` under ``changes``; ``corpus``: plots that were learned from."""
    shares: dict[str, list[float]] = {name: [] for name in ("kept", "said", "followed", "repeated")}
    plots: list[str] = []
    for text, change, answer in zip(texts, changes, answers, strict=True):
        if answer.text is None or answer.copied:
            continue
        old, new = Description.read(text), Description.read(answer.text)
        plots.append(new.plot)
        shares["repeated"].append(repeated_triples(new.plot) > 0)
        shares["kept"].append(kept_words(old.plot, new.plot))
        if change.telling - telling_words(old.plot):
            shares["said"].append(said_words(change, old.plot, new.plot))
        if change.label is not None and change.label not in labels_in(old):
            shares["followed"].append(change.label in labels_in(new))
    means = {name: float(np.mean(found)) if found else 0.0 for name, found in shares.items()}
    longest = CommonRuns(corpus, LONGEST).longest(plots)
    asked = max(1, len(answers))
    return EnvironmentFigures(
        texts=len(answers),
        whole=(len(shares["repeated"]) - sum(shares["repeated"])) / asked,
        failed=sum(answer.text is None for answer in answers) / asked,
        copied=sum(answer.copied for answer in answers) / asked,
        repeated=means["repeated"],
        kept=means["kept"],
        said=means["said"],
        followed=means["followed"],
        remembered=float((longest >= SHARED).mean()) if plots else 0.0,
        longest_run=int(longest.max(initial=0)),
    )
