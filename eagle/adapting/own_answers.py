"""The plain model's own good answers to training items: they teach an adapted model to keep the text it is given.

Two answers are drawn for an item and an action, and the better one is taken where it is good: changed, of LEAST_WORDS
words, without a repeated word triple, with the label that its action names, with a word that its action says, and with
some of the item's words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eagle.adapting.changes import NamedChange, labels_in, telling_words
from eagle.adapting.figures import kept_words, said_words
from eagle.adapting.mining import Edit
from eagle.adapting.stories import LEAST_WORDS
from eagle.core.progress import rows_shown
from eagle.core.seeding import derive_seed, stream
from eagle.domains.text import Description
from eagle.environment.checks import tokens
from eagle.environment.rewrite import Rewrite
from eagle.environment.steering import Writer
from eagle.quality.measures import repeated_triples

DRAWS = 2
LEAST_KEPT, MOST_KEPT = 0.2, 0.9  # of the item's telling words: below it is another item, above a copy [O]


@dataclass(frozen=True)
class OwnRequest:
    """One item's text under one action, and the number of the draw."""

    text: str
    change: NamedChange
    draw: int


def own_answers(
    writer: Writer, texts: Mapping[str, str], changes: Sequence[NamedChange], drawn: int, wanted: int, seed: int
) -> list[Edit]:
    """Return at most ``wanted`` of the good ones among ``drawn`` answers, the best first.

    ``texts``: item -> its line; items and actions are drawn.
    """
    requests = own_requests(texts, changes, drawn, seed)
    with rows_shown(len(requests), "answers of the plain model", "text"):
        answers = writer.rewrite(
            [request.text for request in requests],
            [request.change.action for request in requests],
            [derive_seed(seed, "own", r.text, r.change.action, r.draw) for r in requests],
        )
    best: dict[tuple[str, str], tuple[float, Edit]] = {}
    for request, answer in zip(requests, answers, strict=True):
        grade = graded(request.text, request.change, answer)
        place = (request.text, request.change.action)
        if grade is not None and answer.text is not None and grade > best.get(place, (-1.0, None))[0]:
            best[place] = (grade, Edit(request.text, request.change.action, answer.text, "own"))
    return [edit for _, edit in sorted(best.values(), key=lambda found: -found[0])][:wanted]


def own_requests(texts: Mapping[str, str], changes: Sequence[NamedChange], drawn: int, seed: int) -> list[OwnRequest]:
    """Return DRAWS requests for each of ``drawn`` / DRAWS different pairs of an item and an action."""
    pairs = [(item, place) for item in sorted(texts) for place in range(len(changes))]
    order = stream(seed, "own answers").permutation(len(pairs))[: drawn // DRAWS]
    return [
        OwnRequest(texts[pairs[number][0]], changes[pairs[number][1]], draw)
        for number in order
        for draw in range(DRAWS)
    ]


def graded(text: str, change: NamedChange, answer: Rewrite) -> float | None:
    """Return how good an answer is, None where it is not good: the share of words kept and said."""
    if answer.text is None or answer.copied:
        return None
    new, old = Description.read(answer.text), Description.read(text)
    kept, said = kept_words(old.plot, new.plot), said_words(change, old.plot, new.plot)
    asked = change.telling - telling_words(f"{old.plot} {change.label or ''}")
    brings = change.label is None or change.label in labels_in(new)
    says = bool(asked & telling_words(new.plot)) if asked else change.label is not None
    fine = len(tokens(new.plot)) >= LEAST_WORDS and not repeated_triples(new.plot)
    if not (fine and brings and says and LEAST_KEPT <= kept <= MOST_KEPT and telling_words(new.plot)):
        return None
    return kept + said
