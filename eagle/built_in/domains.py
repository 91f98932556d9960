"""The built-in domains: each opens as a function of the section ``domain`` and the noun."""

from __future__ import annotations

from dataclasses import dataclass

from eagle.core.parts import BuiltIn


@dataclass(frozen=True)
class BuiltInDomain(BuiltIn):
    """A domain, and the nouns that ``domain.kind: auto`` chooses it for; the first one is its usual noun."""

    nouns: tuple[str, ...] = ()


_STORIES = (
    "film", "movie", "book", "novel", "graphic novel", "story", "short story", "series", "tv series", "show", "tv show",
    "comic", "comic book", "play", "anime", "podcast", "manga", "musical",
)  # fmt: skip
_CLOTHES = ("garment", "piece of clothing", "clothing item", "clothing", "outfit", "dress", "shirt", "fashion item")

DOMAINS = {
    "film": BuiltInDomain("eagle.domains.film:film", _STORIES),
    "clothing": BuiltInDomain("eagle.domains.clothing:clothing", _CLOTHES),
    "plain": BuiltInDomain("eagle.domains.plain:plain"),
}
