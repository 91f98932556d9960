"""The words that gates count; where a script puts no blanks between them, its characters."""

from __future__ import annotations

import re

from eagle.environment.checks import words

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Thai, Lao, Burmese, Khmer, kana, Chinese characters."""
_UNIT = re.compile(f"[{_UNSPACED}]|[^{_UNSPACED}]+")


def tokens(text: str) -> list[str]:
    """Return the lower-case words of a text in order."""
    found = words(text)
    return found if text.isascii() else [unit for word in found for unit in _UNIT.findall(word)]
