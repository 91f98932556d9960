"""What a domain decides: everything that is said about the catalogue's items, and nothing about how it is said.

A domain holds words only. The environment, the profiles and the actions ask it for them; it imports none of these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations, zip_longest
from typing import Any, Protocol, runtime_checkable

from eagle.domains.text import Fields

MIN_WORDS = 8  # a text with fewer words says nothing that a change could show in [O]

Sentence = tuple[int, str]
"""The place of a category, and an action of it; ``{genre}`` stands for a label, ``{noun}`` for the noun."""


@dataclass(frozen=True)
class Rewriting:
    """How a language model is shown what applying a change means."""

    task: str
    """The system turn."""
    examples: tuple[tuple[str, str, str], ...]
    """(text, change, text with the change applied), texts as the domain renders them."""


@dataclass(frozen=True)
class Describing:
    """How a language model is shown what a description is."""

    task: str
    examples: tuple[tuple[str, str], ...]
    """("Title (year): labels", text as the domain renders it)."""


@dataclass(frozen=True)
class Suggesting:
    """How a language model is shown what an action is."""

    task: str
    examples: tuple[tuple[str, str, str], ...]
    """(labels and text without the names of the fields, an opening, the action that opens so)."""
    openings: tuple[tuple[str, ...], ...]
    """For each category the orders that an action of it may open with."""


@dataclass(frozen=True)
class Profiling:
    """How a user's taste is put into words: five sections, one sentence each.

    The sections speak of the whole taste, of labels, of the period, of looks and of the rest, in this order.
    """

    sections: tuple[str, str, str, str, str]
    task: str
    examples: tuple[tuple[str, Mapping[str, str]], ...]
    """(history, section -> sentence)."""
    person: str
    """Who has the taste: "A viewer"."""
    period: str
    """A sentence with ``{period}`` in it, and the three periods: old, any, recent."""
    periods: tuple[str, str, str]
    looks: Mapping[str, str]
    """Label -> what somebody enjoys who likes it."""
    all_labels: str
    """What is said of looks where no liked label has its own: "what suits these genres"."""
    experience: tuple[str, str, str]
    """Sentences for few, some and many ratings."""


@runtime_checkable
class Domain(Protocol):
    """What the rest of the project asks a domain. Labels are the catalogue's own, most frequent first."""

    @property
    def noun(self) -> str: ...
    @property
    def fields(self) -> Fields: ...
    @property
    def least_words(self) -> int: ...
    @property
    def categories(self) -> tuple[str, ...]: ...
    @property
    def rewriting(self) -> Rewriting: ...
    @property
    def describing(self) -> Describing: ...
    @property
    def suggesting(self) -> Suggesting: ...
    @property
    def profiling(self) -> Profiling: ...

    def generic_actions(self) -> Sequence[Sequence[str]]:
        """Return for each category its actions, which suit everybody's taste."""
        ...

    def personal_actions(self, labels: Sequence[str]) -> Sequence[Sentence]:
        """Return (place of the category, action) made for tastes; the first are used first."""
        ...


@dataclass(frozen=True)
class WrittenDomain:
    """A domain out of lists, which is all that most domains are; change some with ``dataclasses.replace``."""

    noun: str
    fields: Fields
    categories: tuple[str, ...]
    rewriting: Rewriting
    describing: Describing
    suggesting: Suggesting
    profiling: Profiling
    generic: tuple[tuple[str, ...], ...]
    """For each category its generic actions."""
    by_label: Mapping[str, tuple[Sentence, ...]] = field(default_factory=dict)
    """Label (letters and digits only) -> the actions written for it."""
    any_label: tuple[Sentence, ...] = ()
    """Actions for a label without its own."""
    mix: Sentence | None = None
    """An action with ``{first}`` and ``{second}`` in it for two labels together."""
    most_mixed: int | None = None
    """How many labels are mixed with each other, the most frequent ones; None mixes all."""
    any_taste: tuple[Sentence, ...] = ()
    """Actions for tastes where the catalogue's labels do not suffice."""
    same_label: Mapping[str, str] = field(default_factory=dict)
    """Other spellings of the keys of ``by_label``."""
    no_label: frozenset[str] = frozenset({"", "unknown", "none", "other"})
    """Labels (letters and digits only) that say nothing."""
    least_words: int = MIN_WORDS

    def generic_actions(self) -> Sequence[Sequence[str]]:
        """Return ``generic``."""
        return self.generic

    def personal_actions(self, labels: Sequence[str]) -> Sequence[Sentence]:
        """Return one action for each label, a second for each, mixes of two labels, then those for any taste.

        Labels appear as the catalogue spells them.
        """
        named = [label for label in dict.fromkeys(labels) if self._key(label) not in self.no_label]
        own = [
            [
                (place, text.format(genre=label, noun=self.noun))
                for place, text in self.by_label.get(self._key(label), self.any_label)
            ]
            for label in named
        ]
        mixes = [] if self.mix is None else self._mixes(self.mix, named[: self.most_mixed])
        in_turn = [sentence for row in zip_longest(*own) for sentence in row if sentence is not None]
        return [*in_turn, *mixes, *self.any_taste]

    def _key(self, label: str) -> str:
        key = "".join(c for c in label.lower() if c.isalnum())
        return self.same_label.get(key, key)

    @staticmethod
    def _mixes(mix: Sentence, labels: Sequence[str]) -> list[Sentence]:
        return [(mix[0], mix[1].format(first=one, second=other)) for one, other in combinations(labels, 2)]


def rewriting_task(noun: str, fields: Fields) -> str:
    """Return the system turn that asks for one line with a change applied."""
    labels, body = fields.labels.lower(), fields.body.lower()
    return (
        f"You rewrite descriptions of a {noun}. Apply the change to the {labels} and to the {body}. "
        f"The new {body} must clearly differ. Answer with one line, {labels} first."
    )


def suggesting_task(noun: str) -> str:
    """Return the system turn that asks for an action."""
    return f"You suggest one short change to a {noun}."


def profiling_task(noun: str, sections: Sequence[str]) -> str:
    """Return the system turn that asks for a profile."""
    return (
        f"You describe a person's taste from the {noun}s they liked and disliked. Five lines: {', '.join(sections)}. "
        "One sentence each. Never name a title, never give a rating."
    )


def rewriting_identity(domain: Domain) -> dict[str, Any]:
    """Return, JSON-able, what of a domain decides a next text."""
    return {
        "noun": domain.noun,
        "fields": asdict(domain.fields),
        "least_words": domain.least_words,
        "rewriting": asdict(domain.rewriting),
    }
