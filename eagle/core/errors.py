"""The one error type for everything that a user can mend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, in the four parts a reader needs to mend it."""

    what: str
    found: str = ""
    expected: str = ""
    mend: str = ""

    def __str__(self) -> str:
        lines = [self.what]
        for label, text in (("found", self.found), ("expected", self.expected), ("mend", self.mend)):
            if text:
                lines.append(f"  {label}: {text}")
        return "\n".join(lines)


class EagleError(Exception):
    """A mistake in parameters, data or surroundings; the command line prints it and exits 2.

    Collects every problem found, so that a user mends all of them in one go.
    """

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[EagleError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)  # so that it comes out of another process whole


def user_error(what: str, *, found: object = "", expected: object = "", mend: str = "") -> EagleError:
    """Build an :class:`EagleError` that holds a single problem."""
    return EagleError(Problem(what, str(found), str(expected), mend))


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most like ``word``, or None where none is like it."""
    import difflib

    return next(iter(difflib.get_close_matches(word, list(known), n=1)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"did you mean 'x'?"`` for the closest known word, or an empty string."""
    close = closest(word, known)
    return f"did you mean {close!r}?" if close else ""
