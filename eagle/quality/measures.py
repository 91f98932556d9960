"""What can be counted in a text of any language and any domain: repetition, length, whether its last sentence ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from eagle.domains.base import Domain
from eagle.domains.text import Description
from eagle.environment.checks import tokens

_CLAUSE_END = re.compile(r"[.!?;,:…]+[\"'”’»)\]]*(?=\s|$)|[。！？；，、：।؟،]+|\s[-–—]+\s")
_TEXT_END = re.compile(r"(?:(?<![.])[.!?]|[。！？।؟])[\"'”’»)\]]*\s*$")
_SENTENCE_START = re.compile(r"(?:^|[.!?:][\"'”’»)\]]*\s+)[\"'“‘«(\[]*(\w[\w'’-]*)")
_NAME = re.compile(r"\b[A-ZÀ-ÖØ-Þ][\w'’-]+")


def body(text: str) -> str:
    """Return what a text says after its labels: nothing where there are only these, all where it has another form."""
    return Description.read_any(text).plot


def repeated_triples(said: str) -> int:
    """Return how many word triples stand there for the second time or more often."""
    seen = tokens(said)
    return max(len(seen) - 2, 0) - len(set(zip(seen, seen[1:], seen[2:], strict=False)))


def repeated_openings(said: str) -> float:
    """Return the share of words, 0 to 1, with which clauses begin like an earlier one: of "a cat, a dog" a quarter."""
    clauses = [found for found in map(tokens, _CLAUSE_END.split(said)) if found]
    alike = sum(
        max((_begin_alike(clause, earlier) for earlier in clauses[:place]), default=0)
        for place, clause in enumerate(clauses)
    )
    return alike / max(sum(map(len, clauses)), 1)


def _begin_alike(one: Sequence[str], other: Sequence[str]) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def length(said: str) -> int:
    """Return the number of words."""
    return len(tokens(said))


def unended(said: str) -> int:
    """Return 1 where the last sentence has no end, or trails off in dots; else 0."""
    return int(_TEXT_END.search(said) is None)


def example_bodies(domain: Domain) -> list[str]:
    """Return what the texts say that a language model is shown as examples of a change."""
    return [body(text) for before, _, after in domain.rewriting.examples for text in (before, after)]


def names_in(texts: Iterable[str]) -> set[str]:
    """Return the words with a capital that no sentence begins with: names, in languages that write them so."""
    found: set[str] = set()
    for text in texts:
        starts = {match.start(1) for match in _SENTENCE_START.finditer(text)}
        found |= {match[0] for match in _NAME.finditer(text) if match.start() not in starts}
    return found


def said_names(said: str, names: Iterable[str]) -> int:
    """Return how many of the names a text says, in their own spelling."""
    return sum(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said) is not None for name in names)
