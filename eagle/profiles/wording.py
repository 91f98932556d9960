"""A taste in words: five sections, in the words of the domain."""

from __future__ import annotations

from collections.abc import Sequence

from eagle.domains.base import Profiling
from eagle.profiles.taste import Taste


def full_profile(taste: Taste, words: Profiling) -> str:
    """Return the five sections, one line each."""
    lines = (
        _overall(taste, words),
        " ".join(f"{grade} {', '.join(labels)}." for grade, labels in taste.grades),
        words.period.format(period=_graded(taste.newer, -0.5, 0.5, words.periods)),
        _looks(taste, words),
        _graded(taste.ratings, 15, 60, words.experience),
    )
    return "\n".join(f"{name}: {line}" for name, line in zip(words.sections, lines, strict=True))


def _overall(taste: Taste, words: Profiling) -> str:
    temper = _graded(taste.generosity, -0.25, 0.25, ("is hard to please", "judges evenly", "is easily pleased"))
    width = _graded(
        taste.strength,
        0.9,
        1.1,
        ("with tastes near everybody's", "with clear tastes", "with strong tastes of their own"),
    )
    liked, disliked = _first(taste.liked), _first(taste.disliked)
    return f"{words.person} who {temper}, {width}; most drawn to {liked} and least to {disliked}."


def _looks(taste: Taste, words: Profiling) -> str:
    likes = [words.looks[label] for label in taste.liked if label in words.looks][:2]
    avoids = [words.looks[label] for label in taste.disliked if label in words.looks][:2]
    return f"Enjoys {' and '.join(likes) or words.all_labels}; less so {' and '.join(avoids) or 'the rest'}."


def _graded(value: float, low: float, high: float, words: tuple[str, str, str]) -> str:
    return words[0] if value < low else words[2] if value > high else words[1]


def _first(labels: Sequence[str]) -> str:
    return labels[0] if labels else "nothing in particular"
