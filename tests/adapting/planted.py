"""A corpus whose edits are known: families of texts that differ by one theme, and actions that name a theme each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eagle.adapting.changes import NamedChange
from eagle.data.corpus import Prose
from eagle.domains.text import Description, Fields
from eagle.environment.checks import words

FILM = Fields()
THEMES = ("robot", "ghost", "pirate", "wedding")
FAMILIES = ("baker", "sailor", "teacher", "doctor", "farmer", "painter")
LABELS = {"robot": "sci-fi", "ghost": "horror"}
"""Themes whose action names a label."""


class AxisEmbedder:
    """One axis per family and theme, and one for all else: cosines are known."""

    dimension = len(THEMES) + len(FAMILIES) + 1

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        found = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            said = set(words(text))
            found[row, :-1] = [0.8 * (name in said) for name in THEMES] + [1.0 * (name in said) for name in FAMILIES]
            found[row, -1] = 0.05
            found[row] /= np.linalg.norm(found[row])
        return found


def prose(family: str, theme: str) -> Prose:
    """Return a text of a family with a theme, of two sentences; its labels follow the theme."""
    text = (
        f"A {family} from {family} street walks home alone every single evening. The {theme} of {family} waits there."
    )
    return Prose((LABELS.get(theme, "drama"), theme[:3]), text)


CORPUS = [prose(family, theme) for family in FAMILIES for theme in THEMES]
CHANGES = [NamedChange(f"Make it about the {theme}.", LABELS.get(theme), frozenset({theme})) for theme in THEMES]


def theme_of(line: str) -> str:
    """Return the one theme that a line tells of."""
    (theme,) = [theme for theme in THEMES if theme in words(Description.read(line).plot)]
    return theme
