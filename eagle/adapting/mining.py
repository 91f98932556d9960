"""Edits mined from real texts, without a teacher: which action leads from a source to its target.

1. The action whose embedding fits the direction from source to target best, as a z-score over all drafts, so that no
   action wins for being near to everything.
2. An action that names a label fits only where the target has it and the source has not.
3. Beside the fit, what the action says counts where the target says it and the source does not, and so does what the
   target keeps of the source: an environment that learns from fit alone writes another item and edits none.
4. Actions without a label have half of the pairs, and no action has many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from eagle.adapting.changes import NamedChange, labels_in, telling_words
from eagle.adapting.drafts import EditDraft
from eagle.adapting.stories import Stories
from eagle.domains.text import Description

FITS = 2.0  # z-score from which an action fits [M]
FITS_AS_SAID = 1.0  # the same where the target also says at least half of the action's telling words [O]
SAID, KEPT = 2.0, 3.0  # weights of the words said and kept beside the z-score [O]
MANY = 2.0  # times its even share that one action may have [O]
LABELS = 3  # of a text, at most [O: one item in twenty has more]
UNNAMED = 0.5  # share of pairs whose action names no label [O]


@dataclass(frozen=True)
class Edit:
    """One edit to learn: lines of state texts and the action between them; ``kind`` says where it comes from."""

    source: str
    action: str
    target: str
    kind: str


def mine(
    drafts: Sequence[EditDraft],
    stories: Stories,
    changes: Sequence[NamedChange],
    vectors: np.ndarray,
    wanted: int,
) -> list[Edit]:
    """Return at most ``wanted`` edits, the best first within each half; each target comes once.

    ``vectors``: unit vectors (m, d) of the changes' actions.
    """
    if not drafts or not changes:
        return []
    scores = score(drafts, stories, changes, vectors)
    labelled = np.array([change.label is not None for change in changes])
    unnamed = round(wanted * UNNAMED) if labelled.any() else wanted
    first = _pick(np.where(labelled, -np.inf, scores), drafts, unnamed, set())
    taken = {drafts[row].target for row, _ in first}
    named = _pick(np.where(labelled, scores, -np.inf), drafts, wanted - unnamed, taken)
    pairs = [(drafts[row], changes[column]) for row, column in [*first, *named]]
    return [
        written_edit(draft.source, stories.texts[draft.target], change.action, change.label, draft.kind)
        for draft, change in pairs
    ]


def written_edit(source: Description, target: Description, action: str, label: str | None, kind: str) -> Edit:
    """Write an edit out; the label that its action names comes first in the target, and there are few, as in items."""
    first = (label,) if label is not None else ()
    after = tuple(dict.fromkeys((*first, *target.genres)))[:LABELS]
    before = replace(source, genres=source.genres[:LABELS])
    return Edit(before.render(), action, replace(target, genres=after).render(), kind)


def score(
    drafts: Sequence[EditDraft], stories: Stories, changes: Sequence[NamedChange], vectors: np.ndarray
) -> np.ndarray:
    """Return how well each action leads to each draft's target (n_drafts, m); minus infinity where it does not."""
    fit = np.stack([draft.change for draft in drafts]) @ vectors.T
    fit = (fit - fit.mean(axis=0)) / np.maximum(fit.std(axis=0), 1e-9)
    said, kept, allowed = np.zeros(fit.shape), np.zeros(len(drafts)), np.ones(fit.shape, bool)
    for row, draft in enumerate(drafts):
        target = stories.texts[draft.target]
        after, before = telling_words(target.plot), telling_words(draft.source.plot)
        brought = labels_in(target) - labels_in(draft.source)
        kept[row] = len(after & before) / max(1, len(before))
        for column, change in enumerate(changes):
            said[row, column] = len((after - before) & change.telling) / max(1, len(change.telling))
            allowed[row, column] = change.label is None or change.label in brought
    fine = allowed & ((fit >= FITS) | ((fit >= FITS_AS_SAID) & (said >= 0.5)))
    return np.where(fine, fit + SAID * said + KEPT * kept[:, None], -np.inf)


def _pick(scores: np.ndarray, drafts: Sequence[EditDraft], wanted: int, taken: set[int]) -> list[tuple[int, int]]:
    """Take (draft, action) from the best score on: a target once, an action at most MANY times its even share."""
    possible = int(np.isfinite(scores).any(axis=0).sum())
    most = max(1, round(MANY * wanted / max(1, possible)))
    order = np.argsort(-scores, axis=None, kind="stable")[: int(np.isfinite(scores).sum())]
    used, had = set(taken), Counter[int]()
    found: list[tuple[int, int]] = []
    for place in order:
        row, column = (int(i) for i in np.unravel_index(place, scores.shape))
        if len(found) < wanted and drafts[row].target not in used and had[column] < most:
            found.append((row, column))
            used.add(drafts[row].target)
            had[column] += 1
    return found
