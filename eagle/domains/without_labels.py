"""A domain as it speaks of a catalogue without labels (genres, categories): its texts have one field, and typical words
stand for tastes.
"""

from __future__ import annotations

from dataclasses import replace

from eagle.domains.base import Describing, Profiling, Rewriting, Suggesting, WrittenDomain
from eagle.domains.text import Description, Fields

THEMES = "Themes"  # the section of a profile that speaks of labels where there are some
MOST_MIXED = 12  # words; all pairs of forty are more than anybody reads [O]


def without_labels(domain: WrittenDomain) -> WrittenDomain:
    """Return the domain with labels taken out of its fields, its tasks and its examples, and actions about words."""
    domain = about_words(domain)
    old, new = domain.fields, domain.fields.without_labels()
    describing, suggesting = domain.describing, domain.suggesting
    return replace(
        domain,
        fields=new,
        rewriting=Rewriting(
            _task(domain.rewriting.task, old),
            tuple(
                (_line(before, old), change, _line(after, old)) for before, change, after in domain.rewriting.examples
            ),
        ),
        describing=Describing(
            _task(describing.task, old),
            tuple((title.rpartition(": ")[0] or title, _line(text, old)) for title, text in describing.examples),
        ),
        suggesting=Suggesting(
            suggesting.task,
            tuple((text.partition(". ")[2] or text, begun, action) for text, begun, action in suggesting.examples),
            suggesting.openings,
        ),
        profiling=_profiling(domain.profiling),
    )


def about_words(domain: WrittenDomain) -> WrittenDomain:
    """Return the domain with actions for tastes that a typical word fits: a lighthouse is no genre to turn a film into.

    Generic actions stay.
    """
    last = len(domain.categories) - 1
    return replace(
        domain,
        by_label={},
        any_label=((0, "Make {genre} its main theme."), (last, "Add much more about {genre}.")),
        mix=(last, "Bring {first} and {second} together."),
        most_mixed=MOST_MIXED,
    )


def _task(task: str, old: Fields) -> str:
    labels, body = old.labels.lower(), old.body.lower()
    said = task.replace(f"to the {labels} and to the {body}", f"to the {body}")
    return said.replace(f", {labels} first", "")


def _line(text: str, old: Fields) -> str:
    return Description((), Description.parse(text, old).plot, old.without_labels()).render()


def _profiling(words: Profiling) -> Profiling:
    """The section of labels speaks of themes; histories of examples name titles only."""
    section = words.sections[1]
    sections = (words.sections[0], THEMES, *words.sections[2:])
    return replace(
        words,
        sections=sections,
        task=words.task.replace(", ".join(words.sections), ", ".join(sections)),
        examples=tuple(
            (
                _titles_only(history),
                {THEMES if name == section else name: sentence for name, sentence in answer.items()},
            )
            for history, answer in words.examples
        ),
        all_labels="what goes with these themes",
    )


def _titles_only(history: str) -> str:
    kept = [part.partition(")")[2] if number else part for number, part in enumerate(history.split(" ("))]
    return "".join(kept)
