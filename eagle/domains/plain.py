"""A domain without code, for anybody's catalogue: neutral words, and actions out of the catalogue's own labels."""

from __future__ import annotations

import re

from eagle.config import DomainConfig
from eagle.core.errors import EagleError, Problem
from eagle.domains import plain_actions as neutral
from eagle.domains.base import (
    Describing,
    Profiling,
    Rewriting,
    Suggesting,
    WrittenDomain,
    profiling_task,
    rewriting_task,
    suggesting_task,
)
from eagle.domains.text import NAME, Description, Fields

FIELDS = Fields("Categories", "Description")
SECTIONS = ("Overall", "Category", "Period", "Style", "Other")
MOST_MIXED = 12  # labels; all pairs of several hundred are more than anybody reads [O]

# a change of mood, of size, of audience, an added thread: each of another kind of thing, none of them the user's
REWRITES = (
    (
        "tours, nature",
        "A guided walk through quiet pine woods with long stops at two lakes. It ends with tea in a wooden hut.",
        "Make it dark and mysterious.",
        "tours, night",
        "A walk without lamps through pine woods after midnight, past two lakes that nobody names. The hut at its end "
        "stays locked.",
    ),
    (
        "lamps, office",
        "A heavy desk lamp of black steel with a long arm and one bright bulb. It stands firm on any table.",
        "Make it much smaller.",
        "lamps, travel",
        "A folding reading lamp no larger than a thumb with one soft bulb. It clips to a book and weighs next to "
        "nothing.",
    ),
    (
        "courses, language",
        "Forty evenings of grammar and long exercises for people who need a certificate. Every lesson ends with a "
        "test.",
        "Make it right for small children.",
        "courses, language, children",
        "Ten mornings of songs, puppets and picture cards in a new language. Every lesson ends with a round of "
        "hide and seek.",
    ),
    (
        "instruments, wood",
        "A plain wooden flute with six holes and a warm, low tone. Carved by hand from a single branch of pear.",
        "Add a hidden secret to it.",
        "instruments, wood, curiosities",
        "A wooden flute whose seventh hole opens only to a certain tune. Behind it lies a rolled strip of paper with a "
        "name.",
    ),
)
TITLES = ("Two Lakes (2012)", "Night Desk (2015)", "Forty Evenings (2009)")
PROFILES = (
    (
        "Liked: Two Lakes (tours, nature), Pear Flute (instruments, wood), Slow Bread (courses). "
        "Disliked: Neon Rush (arcades), Party Horn (toys).",
        {
            "Overall": "Prefers quiet, well-made things and has little patience for noise.",
            "Category": "Likes tours, instruments and courses; dislikes arcades and toys.",
            "Period": "Is drawn to what has proved itself over the years.",
            "Style": "Enjoys plain materials and a calm pace.",
            "Other": "Values care in every detail.",
        },
    ),
    (
        "Liked: Neon Rush (arcades), Sky Drop (rides), Party Horn (toys). "
        "Disliked: Forty Evenings (courses), Two Lakes (tours).",
        {
            "Overall": "Wants to be surprised and leaves when it gets slow.",
            "Category": "Likes arcades, rides and toys; dislikes courses and tours.",
            "Period": "Goes for whatever came out last.",
            "Style": "Enjoys bright colours and a quick start.",
            "Other": "Likes to share it with friends.",
        },
    ),
)


def plain(settings: DomainConfig, noun: str) -> WrittenDomain:
    """Return a domain for things that are called ``noun``.

    ``settings`` may name the fields of a text, and bring actions by category and examples of its own. Raises one
    EagleError with all that is wrong in them.
    """
    fields = Fields(settings.labels or FIELDS.labels, settings.body or FIELDS.body)
    examples = settings.examples or tuple(
        (_line(fields, *old), change, _line(fields, *new)) for old, change, new in _shots()
    )
    problems = [*_wrong_names(fields), *_wrong_examples(examples, fields)]
    if problems:
        raise EagleError(problems)
    ours = dict(zip(neutral.CATEGORIES, neutral.GENERIC, strict=True))
    openings = dict(zip(neutral.CATEGORIES, neutral.OPENINGS, strict=True))
    generic = settings.actions or ours
    last = len(generic) - 1
    return WrittenDomain(
        noun=noun,
        fields=fields,
        categories=tuple(generic),
        rewriting=Rewriting(rewriting_task(noun, fields), examples),
        describing=Describing(
            f"You write the description of a {noun} in two short sentences: what it is and what is special about it, "
            "without naming the title. Answer with one line.",
            tuple(
                (f"{title}: {', '.join(labels)}", _line(fields, labels, body))
                for title, ((labels, body), _, _) in zip(TITLES, _shots(), strict=False)
            ),
        ),
        suggesting=Suggesting(
            suggesting_task(noun),
            neutral.EXAMPLES,
            tuple(openings.get(category, neutral.ANY_OPENINGS) for category in generic),
        ),
        profiling=_profiling(noun, fields),
        generic=tuple(tuple(texts) for texts in generic.values()),
        any_label=tuple((min(place, last), text) for place, text in neutral.ANY_LABEL),
        mix=(last, neutral.MIX),
        most_mixed=MOST_MIXED,
        any_taste=tuple((min(place, last), text) for place, text in neutral.ANY_TASTE),
        no_label=frozenset({"", "unknown", "none", "other", "nogenreslisted", "nan", "misc"}),
    )


def _shots() -> list[tuple[tuple[tuple[str, ...], str], str, tuple[tuple[str, ...], str]]]:
    return [
        ((tuple(labels.split(", ")), body), change, (tuple(new.split(", ")), changed))
        for labels, body, change, new, changed in REWRITES
    ]


def _line(fields: Fields, labels: tuple[str, ...], body: str) -> str:
    return Description(labels, body, fields).render()


def _profiling(noun: str, fields: Fields) -> Profiling:
    return Profiling(
        sections=SECTIONS,
        task=profiling_task(noun, SECTIONS),
        examples=PROFILES,
        person="Somebody",
        period="Chooses {period}.",
        periods=("the older ones", "those of any year", "the latest ones"),
        looks={},
        all_labels=f"what suits these {fields.labels.lower()}",
        experience=("Little is known yet.", "Knows a fair amount.", "Knows a great deal."),
    )


def _wrong_names(fields: Fields) -> list[Problem]:
    return [
        Problem(
            f"domain.{place} is no name of a field",
            found=repr(name),
            expected="letters and blanks, at most 30",
            mend='such as "Categories" or "Description"',
        )
        for place, name in (("labels", fields.labels), ("body", fields.body))
        if not re.fullmatch(NAME, name)
    ]


def _wrong_examples(examples: tuple[tuple[str, str, str], ...], fields: Fields) -> list[Problem]:
    return [
        Problem(
            "a text of domain.examples does not have the fields of the domain",
            found=text,
            expected=f"{fields.labels}: a, b. {fields.body}: ...",
        )
        for before, _, after in examples
        for text in (before, after)
        if not _has_both(text, fields)
    ]


def _has_both(text: str, fields: Fields) -> bool:
    try:
        return bool(Description.parse(text, fields).plot)
    except ValueError:
        return False
