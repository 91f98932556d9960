"""Titles as catalogues write them: "City of Lost Children, The (Cité des enfants perdus, La) (1995)"."""

from __future__ import annotations

import re
import unicodedata

_YEAR = re.compile(r"\s*\((\d{4})(?:\s*[-–]\s*\d{0,4})?\)\s*$")
_ARTICLE = re.compile(r"^(?P<rest>.+),\s*(?P<article>the|a|an|la|le|les|l'|el|il|los|las|das|der)$", re.IGNORECASE)
_ALIAS = re.compile(r"^a\.?\s?k\.?\s?a\.?\s+", re.IGNORECASE)
_WORDS = {"&": " and ", "'": "", "’": ""}


def split_year(title: str) -> tuple[str, int | None]:
    """Return the title without its trailing year, and the year: ``"Heat (1995)"`` gives ``("Heat", 1995)``."""
    match = _YEAR.search(title)
    return (title[: match.start()].strip(), int(match[1])) if match else (title.strip(), None)


def upright(title: str) -> str:
    """Put an article that was moved to the end back to the front: ``"Matrix, The"`` gives ``"The Matrix"``.

    Names in parentheses are treated one by one.
    """
    return re.sub(r"[^()]+", _upright_name, title.strip())


def _upright_name(name: re.Match[str]) -> str:
    match = _ARTICLE.match(name[0].rstrip())
    if match is None:
        return name[0]
    gap = "" if match["article"].endswith("'") else " "
    return f"{match['article']}{gap}{match['rest']}{' ' if name[0].endswith(' ') else ''}"


def key(title: str) -> str:
    """Return a title reduced to its words in lower-case ASCII, for comparing titles from different sources."""
    for sign, word in _WORDS.items():
        title = title.replace(sign, word)
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return " ".join(re.findall(r"[a-z0-9]+", plain))


def keys(title: str) -> list[str]:
    """Return the keys of a title and of its other names in parentheses, the main one first."""
    title = split_year(title)[0]
    names = [re.sub(r"\([^)]*\)", " ", title), *re.findall(r"\(([^)]*)\)", title)]
    found = (key(upright(_ALIAS.sub("", name.strip()))) for name in names)
    return list(dict.fromkeys(name for name in found if name))
