"""What makes a generated text of a state usable: its form, its end, its words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from eagle.domains.base import MIN_WORDS
from eagle.domains.text import GENRES_AND_PLOT, Description, Fields
from eagle.environment.sentences import BLANKED_ENDS, UNBLANKED, UNBLANKED_CLOSING, UNBLANKED_ENDS

COPY_AT = 0.95  # word-level similarity from which a text counts as a copy [O]
SENTENCE = 5  # words: a shorter sentence may come to anybody [O]
EXAMPLE_AT = 0.7  # the same against the prompt's own examples [O: theirs is not the item's story]
DISTINCT_TRIGRAMS = 0.8  # below this share of distinct word triples a plot repeats itself [O]
_SENTENCE_END = re.compile(
    rf"[.!?][\"')\]]*(?=\s|$)|[{BLANKED_ENDS}]+(?=\s|$)|[{UNBLANKED_ENDS}]+[{UNBLANKED_CLOSING}]*"
)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_TOKEN = re.compile(f"[{UNBLANKED}]|[^{UNBLANKED}]+")


@dataclass(frozen=True)
class Checked:
    """A usable description, or the cause why there is none; ``dropped`` counts genre words outside the vocabulary."""

    description: Description | None
    cause: str | None = None
    dropped: int = 0


def words(text: str) -> list[str]:
    """Return the lower-case words of a text."""
    return _WORD.findall(text.lower())


def tokens(text: str) -> list[str]:
    """Return the lower-case words of a text; where a script puts no blanks between them, its signs."""
    return apart(words(text))


def apart(words: Sequence[str]) -> list[str]:
    """Return words with the signs of scripts without blanks each by itself."""
    return [token for word in words for token in ([word] if word.isascii() else _TOKEN.findall(word))]


def similarity(one: str, other: str) -> float:
    """Return the share of words two texts have in common in the same order, in [0, 1]."""
    return SequenceMatcher(None, tokens(one), tokens(other), autojunk=False).ratio()


def sentences(plot: str) -> list[str]:
    """Return the sentences of a plot that say something: those of at least SENTENCE words."""
    return [part.strip() for part in _SENTENCE_END.split(plot) if len(tokens(part)) >= SENTENCE]


def to_last_sentence(plot: str) -> str:
    """Return the plot up to its last full sentence; empty where none ends."""
    ends = [match.end() for match in _SENTENCE_END.finditer(plot)]
    return plot[: ends[-1]].strip() if ends else ""


def repeats(plot: str) -> bool:
    """Whether a sentence comes twice, or few word triples are distinct."""
    sentences = Counter(" ".join(tokens(part)) for part in _SENTENCE_END.split(plot) if len(tokens(part)) > 2)
    if sentences and max(sentences.values()) > 1:
        return True
    said = tokens(plot)
    triples = list(zip(said, said[1:], said[2:], strict=False))
    return len(triples) > 0 and len(set(triples)) < DISTINCT_TRIGRAMS * len(triples)


def check_text(
    line: str,
    *,
    finished: bool,
    vocabulary: frozenset[str] | None = None,
    fields: Fields = GENRES_AND_PLOT,
    least_words: int = MIN_WORDS,
) -> Checked:
    """Read a generated line ``Genres: ... Plot: ...``, whose fields are called as in ``fields``.

    ``finished`` is False where generation met its length limit: the text is then cut after its last full sentence.
    Genre words outside ``vocabulary`` (None allows all) are dropped; with an empty one a line needs none. Causes:
    "unparsable", "unknown format" (no known genre, or markers of the prompt inside the plot), "empty plot", "cut off",
    "too short" (fewer than ``least_words``), "repetition".
    """
    try:
        parsed = Description.parse(line, fields)
    except ValueError:
        return Checked(None, "unparsable")
    genres = tuple(g for g in parsed.genres if vocabulary is None or g in vocabulary)
    dropped = len(parsed.genres) - len(genres)
    cause, plot = _check_plot(parsed.plot, finished, fields, least_words)
    if cause is None and not genres and vocabulary != frozenset():
        cause = "unknown format"
    if cause is not None:
        return Checked(None, cause, dropped)
    return Checked(Description(genres, plot, fields), None, dropped)


def _check_plot(plot: str, finished: bool, fields: Fields, least_words: int) -> tuple[str | None, str]:
    if not plot.strip():
        return "empty plot", plot
    markers = (*(f"{name.lower()}:" for name in fields.names), "change:", "<|", "|>")
    if any(marker in plot.lower() for marker in markers):
        return "unknown format", plot
    if not finished:
        plot = to_last_sentence(plot)
        if len(tokens(plot)) < least_words:
            return "cut off", plot
    if len(tokens(plot)) < least_words:
        return "too short", plot
    if repeats(plot):
        return "repetition", plot
    return None, plot


def is_copy(new: Description, old_text: str) -> bool:
    """Whether the plot is nearly the same; other genres over one plot are no change. Without a plot, the genres."""
    try:
        old = Description.parse(old_text, new.fields)
    except ValueError:
        return similarity(new.plot, old_text) >= COPY_AT
    return similarity(new.plot, old.plot) >= COPY_AT and (bool(old.plot) or set(new.genres) == set(old.genres))
