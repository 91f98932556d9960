"""Whether the adapted environment is kept: the rule, on the figures of both on validation items."""

from __future__ import annotations

import math
from dataclasses import asdict

from eagle.adapting.figures import EnvironmentFigures
from eagle.environment.adapted import EnvironmentDecision

AS_WELL = 0.02  # less of the item's and the action's words and labels than this is noise of some 300 texts [O]
REMEMBERED = 0.02  # most texts that may share a long run of words with the corpus [O]


def decide(plain: EnvironmentFigures, tried: EnvironmentFigures) -> EnvironmentDecision:
    """Return the decision with every reason against the adapted environment, or the one for it.

    It is kept where more of its first answers are whole (by twice the standard error), it keeps the item's words and
    follows actions as well, and does not recite the corpus.
    """
    error = math.hypot(_error(plain.whole, plain.texts), _error(tried.whole, tried.texts))
    against = {
        f"whole first answers {tried.whole:.3f}, not above the plain {plain.whole:.3f} by {2 * error:.3f}": tried.whole
        <= plain.whole + 2 * error,
        f"item's words kept {tried.kept:.3f}, fewer than the plain {plain.kept:.3f}": tried.kept < plain.kept - AS_WELL,
        f"action's words said {tried.said:.3f}, fewer than the plain {plain.said:.3f}": tried.said
        < plain.said - AS_WELL,
        f"named labels followed {tried.followed:.3f}, less than the plain {plain.followed:.3f}": tried.followed
        < plain.followed - AS_WELL,
        f"texts that recite the corpus {tried.remembered:.3f}, more than {REMEMBERED}": tried.remembered > REMEMBERED,
    }
    reasons = tuple(reason for reason, holds in against.items() if holds)
    kept = f"whole first answers {tried.whole:.3f} against the plain {plain.whole:.3f}, nothing lost"
    return EnvironmentDecision(not reasons, reasons or (kept,), asdict(plain), asdict(tried))


def _error(share: float, texts: int) -> float:
    return math.sqrt(share * (1 - share) / max(1, texts))
