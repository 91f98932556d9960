"""Edits whose action quotes its target: "Set it in a deserted mountain village.".

Real texts hardly ever say the words of the domain's actions, so mined edits teach the theme of an action and not to say
it. Here an action of the domain asks for words of the target that the source lacks, and an adapted model learns to take
over what it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from eagle.adapting.changes import NamedChange, labels_in, telling_words
from eagle.adapting.drafts import EditDraft
from eagle.adapting.mining import Edit, written_edit
from eagle.adapting.stories import Stories
from eagle.domains.text import Description

ANY_FORMS = ("Bring in {}.", "Make it about {}.")
WITH_LABEL = "Make it {}, with {}."
WORDS = 3  # of a quoted phrase, at most, beside its article [O: the domain's actions name as many]
_ARTICLES = ("a", "an", "the")
_CLAUSE = re.compile(r"[^,.;:!?()\"“”–—]+")
_LOWER = re.compile(r"[^\W\d_A-Z]+(?:['’-][^\W\d_A-Z]+)*")


def quoting_edits(
    drafts: Sequence[EditDraft], stories: Stories, changes: Sequence[NamedChange], wanted: int, taken: set[str]
) -> list[Edit]:
    """Return at most ``wanted`` edits, those whose phrase tells most first; ``taken``: lines that are no targets.

    Each target comes once. Where it has a label that the source lacks, every second action names that too.
    """
    forms = [*ANY_FORMS, *forms_of(changes)]
    found: dict[str, Edit] = {}
    for draft, phrase in _quotes(drafts, stories):
        target = stories.texts[draft.target]
        if len(found) == wanted or target.plot in found:
            continue
        brought = sorted(labels_in(target) - labels_in(draft.source)) if target.fields.labels else []
        label = brought[0] if brought and len(found) % 2 else None
        form = forms[len(found) // 2 % len(forms)]
        action = form.replace("{}", phrase) if label is None else WITH_LABEL.format(label, phrase)
        edit = written_edit(draft.source, target, action, label, "quote")
        if edit.target not in taken:
            found[target.plot] = edit
    return list(found.values())


def forms_of(changes: Sequence[NamedChange]) -> list[str]:
    """Return the actions that ask for one phrase and for nothing else, with ``{}`` for it: "Make the hero {}."."""
    asked = [(change, phrase) for change in changes if change.label is None for phrase in phrases_of(change.action)]
    alone = [(c, phrase) for c, phrase in asked if c.telling and c.telling <= telling_words(phrase)]
    return [change.action.replace(phrase, "{}") for change, phrase in alone if phrase in change.action]


def _quotes(drafts: Sequence[EditDraft], stories: Stories) -> list[tuple[EditDraft, str]]:
    """Return the best new phrase of each draft that has one, those with most telling words first."""
    best = [(draft, next(iter(new_phrases(draft.source, stories.texts[draft.target])), None)) for draft in drafts]
    quotes = [(draft, phrase) for draft, phrase in best if phrase is not None]
    return sorted(quotes, key=lambda quote: -len(telling_words(quote[1])))


def new_phrases(source: Description, target: Description) -> list[str]:
    """Return the target's phrases without a word that tells the source, those with most telling words first."""
    old = telling_words(source.plot)
    told = {phrase: telling_words(phrase) for phrase in phrases_of(target.plot)}
    new = [phrase for phrase, telling in told.items() if telling and not telling & old]
    return sorted(new, key=lambda phrase: -len(told[phrase]))


def phrases_of(plot: str) -> Iterator[str]:
    """Yield each article with the lower-case words after it, up to the next stop word or name, at most WORDS."""
    for clause in _CLAUSE.findall(plot):
        words = clause.split()
        for place, article in enumerate(words):
            said = list(takewhile(_tells, words[place + 1 : place + 1 + WORDS]))
            if article.lower() in _ARTICLES and said:
                yield " ".join([article.lower(), *said])


def _tells(word: str) -> bool:
    return _LOWER.fullmatch(word) is not None and word not in ENGLISH_STOP_WORDS
