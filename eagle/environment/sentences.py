"""The first sentences of a text within a number of words, in scripts with and without blanks.

A sign of a script that sets no blanks between words (Chinese, Japanese, Thai and others) counts as a word, and a text
has at most ``BYTES`` bytes a word. That bounds its characters, and its tokens in any tokenizer: none makes more tokens
than there are bytes.
"""

from __future__ import annotations

import re

BYTES = 12
"""Bytes a word at most [ours: an English word and its blank have 6]."""
UNBLANKED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff"
)
"""Signs of scripts without blanks between words: Thai, Lao, Tibetan, Burmese, Khmer, kana, Chinese characters."""
UNBLANKED_ENDS, UNBLANKED_CLOSING = "。！？｡", "」』”’）"
BLANKED_ENDS = "।؟۔።"  # of Hindi, Arabic, Urdu, Amharic; a blank follows
_WORD = re.compile(rf"[{UNBLANKED}]|[^\s{UNBLANKED}]+")
_CLOSING = r"[\"'”’»)\]]"
_BETWEEN = re.compile(
    rf"(?:(?<=[.!?])|(?<=[.!?]{_CLOSING})|(?<=[.!?]{_CLOSING}{{2}})|(?<=[{BLANKED_ENDS}]))\s+"
    rf"|(?<=[{UNBLANKED_ENDS}])(?![{UNBLANKED_ENDS}{UNBLANKED_CLOSING}])\s*"
    rf"|(?<=[{UNBLANKED_ENDS}][{UNBLANKED_CLOSING}])\s*"
)
_LOOSE_END = ",;:-、，；："


def words_in(text: str) -> int:
    """Return how many words a text has, a sign of a script without blanks counting as one."""
    return len(text.split()) if text.isascii() else len(_WORD.findall(text))


def first_sentences(text: str, max_words: int) -> str:
    """Return whole sentences from the beginning of ``text``, one line, at most ``max_words`` words.

    Where already the first sentence is longer, it is cut after ``max_words`` words and closed with a full stop.
    """
    text, kept = " ".join(text.split()), ""
    for sentence, blank in _parts(text):
        longer = kept + blank + sentence
        if not _fits(longer, max_words):
            break
        kept = longer
    return kept or _cut(text, max_words)


def sentences_in(text: str) -> list[str]:
    """Return the sentences of a text, each with its end and the marks that close it."""
    return [sentence for sentence, _ in _parts(text)]


def _parts(text: str) -> list[tuple[str, str]]:
    """Return (sentence, what stands before it: a blank or nothing)."""
    found: list[tuple[str, str]] = []
    start, blank = 0, ""
    for between in _BETWEEN.finditer(text):
        found.append((text[start : between.start()], blank))
        start, blank = between.end(), between.group()
    found.append((text[start:], blank))
    return [(sentence, blank) for sentence, blank in found if sentence]


def _fits(text: str, max_words: int) -> bool:
    return words_in(text) <= max_words and len(text.encode()) <= BYTES * max_words


def _cut(text: str, max_words: int) -> str:
    words = list(_WORD.finditer(text))[:max_words]
    while len(words) > 1 and not _fits(text[: words[-1].end()], max_words):
        words.pop()
    if not words:
        return ""
    said = text[: words[-1].end()]
    if not _fits(said, max_words):  # one word without end
        said = said.encode()[: BYTES * max_words].decode(errors="ignore")
    stop = "。" if re.match(f"[{UNBLANKED}]", said[-1]) and not "\u0e00" <= said[-1] <= "\u17ff" else "."
    return said.rstrip(_LOOSE_END) + stop
