"""Texts from shops and web pages as plain prose on one line, and which language they are in."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from eagle.data.columns.missing import WORDS

_DROPPED = re.compile(r"<!--.*?-->|<(script|style|head)\b[^>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_INLINE = re.compile(r"</?(?:a|abbr|b|cite|code|em|font|i|mark|small|span|strong|sub|sup|u)\b[^<>]*>", re.IGNORECASE)
_LAST_LINKS = re.compile(
    r"([.!?][\"')\]]*(?:\s*</\w+\s*>|\s*<br\s*/?>)*)\s*(?:<a\b[^<>]*>[^<>]{1,30}</a\s*>\s*)+(?:</\w+\s*>\s*)*\Z",
    re.IGNORECASE,
)
"""Short links after the last sentence, as "More": they are the page's, not the text's."""
_TAG = re.compile(r"</?[a-z][a-z0-9:-]*(?:\s[^<>]*|/)?>|<![a-z][^<>]*>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_UNSEEN = re.compile(
    "\x1b\\[[0-9;]*[A-Za-z]|[\u0000-\u0008\u000e-\u001f\u007f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
"""Colours of terminals, control characters, and marks that turn the direction of reading."""
_NOTHING = re.compile(
    rf"(?:https?://|www\.)\S+|[\W\d_]*|{WORDS}|nil|n\.?/?a\.?|tb[ad]|unknown|"
    r"(?:there is )?no (?:plot|text|overview|description|summary|synopsis)"
    r"(?: (?:is |yet )?(?:available|found|given|yet))?[\W_]*|(?:not|un)[ -]?available[\W_]*",
    re.IGNORECASE,
)
_MISREAD = re.compile("[ÂÃÐÑâ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œž]")


_BEYOND_ASCII = re.compile("[^\x00-\x7f]{4,}")
_ENOUGH, _START = 8, 200
"""Letters from which their accents tell a text's encoding, and how much of it is looked at [ours]."""


def plain(text: str) -> str:
    """Return the text without tags and entities, on one line; ``a < b`` and ``AT&T`` stay as they are.

    What was escaped several times, as ``&amp;lt;p&amp;gt;``, is taken out too, and so are short links after the last
    sentence.
    """
    bare = _barer(text)
    while bare != text:  # each pass makes it shorter
        bare, text = _barer(bare), bare
    return " ".join(bare.split())


def _barer(text: str) -> str:
    text = _UNSEEN.sub("", text)
    if "<" in text:
        text = _LAST_LINKS.sub(r"\1", _DROPPED.sub(" ", text))
        text = _TAG.sub(" ", _INLINE.sub("", text))
    return unescaped(text)


def unescaped(text: str) -> str:
    """Return the text with ``&`` for ``&amp;`` and the like."""
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text


def marked_up(text: str) -> bool:
    """Does a text hold tags or entities?"""
    return bool(_TAG.search(text) or _ENTITY.search(text))


def says_nothing(text: str) -> bool:
    """Is a text only a word for a missing one, an address, or without a letter?"""
    return bool(_NOTHING.fullmatch(text.strip()))


def misread(text: str) -> bool:
    """Does a text look like UTF-8 that was read as cp1252 before it was written, as ``CafÃ©`` for ``Café``?"""
    found = _MISREAD.search(text)
    if found is None:
        return False
    try:
        found[0].encode("cp1252").decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"  # three bytes make one letter
    except UnicodeEncodeError:
        return found[0][1] < "\u00a0"
    return True


def in_another_encoding(text: str) -> bool:
    """Does a text look like Cyrillic or Greek that was read as Latin, or like UTF-8 that was read as cp1251?

    No language has accents on most of its letters: ``Èðîíèÿ`` was ``Ирония`` in cp1251. Cyrillic in cp1251 is never
    UTF-8: ``РЎРѕРЅ`` was ``Сон``.
    """
    text = text[:_START]
    letters = [sign for sign in text if sign.isalpha()]
    if len(letters) >= _ENOUGH and sum("\u00c0" <= sign <= "\u00ff" for sign in letters) > 0.6 * len(letters):
        return True
    return any(_is_utf8_in_cp1251(run) for run in _BEYOND_ASCII.findall(text))


def _is_utf8_in_cp1251(run: str) -> bool:
    try:
        run.encode("cp1251").decode("utf-8")
    except UnicodeError:
        return False
    return True


_COMMON = {
    "English": "the of and to a in is it that with for on as are this an his by from be",
    "German": "der die das und ist nicht ein eine mit von zu den im auf für sich dem auch wird",
    "French": "le la les et est un une des dans qui que pour pas du sur avec au il elle",
    "Spanish": "el la los las y es un una de que en con por para del su se como más",
    "Portuguese": "o a os as e é um uma de que em com para por do da não se seu",
    "Italian": "il lo la gli le e è un una di che in con per del della non si sono",
    "Dutch": "de het een en is van dat niet op te met voor zijn die aan ook wordt",
    "Polish": "i w na z się nie do to jest że od po jak dla oraz który ich",
    "Swedish": "och i att en ett är som på det av för med den inte till om har",
    "Turkish": "ve bir bu da de için ile çok daha olan gibi ne en var ama",
    "Indonesian": "dan yang di ini itu dengan untuk dari pada adalah tidak ke akan",
}
_WORDS = {language: frozenset(words.split()) for language, words in _COMMON.items()}
_WORD = re.compile(r"[^\W\d_]+")
LOOKED_AT = 500
"""Texts whose language is guessed, evenly drawn."""
LEAST_LETTERS = 20


def language_of(text: str) -> str | None:
    """Return "English", another language or "another script"; None where a text is too short to say.

    A guess by frequent small words; a text of Latin letters without any counts as undecided.
    """
    letters = [sign for sign in text if sign.isalpha()]
    if len(letters) < LEAST_LETTERS:
        return None
    if sum(ord(sign) > 0x24F for sign in letters) > len(letters) / 2:
        return "another script"
    words = [word.lower() for word in _WORD.findall(text)]
    hits = {language: sum(word in known for word in words) for language, known in _WORDS.items()}
    best = max(hits, key=lambda language: hits[language])  # English first among equals
    return best if hits[best] >= max(1, 0.05 * len(words)) else None


def languages(texts: Sequence[str]) -> dict[str, float]:
    """Return the share of each language among the texts whose language can be told, most frequent first."""
    step = max(1, len(texts) // LOOKED_AT)
    told = [language for language in map(language_of, texts[::step]) if language]
    counts = {language: told.count(language) for language in dict.fromkeys(told)}
    return {name: counts[name] / len(told) for name in sorted(counts, key=lambda name: (-counts[name], name))}
