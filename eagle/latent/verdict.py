"""The honest word about an encoder: does it rank items that it never saw better than popularity, better than chance?

The popularity of a cold item is counted from that item's own fit ratings, which the encoder does not have: a hard
yardstick. So an encoder that misses it is held against chance too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

CHANCE = 0.5  # AUC of a guess that says the same of every item
Verdict = Literal[
    "beats popularity",
    "does not beat popularity, but ranks better than chance",
    "cannot be told from chance",
    "not measured",
]


def verdict(auc: Mapping[str, Any], over_popularity: Mapping[str, Any]) -> Verdict:
    """Return what an AUC and its paired difference to popularity's, each with value, low and high, say together."""
    if auc["low"] is None or over_popularity["low"] is None:
        return "not measured"
    if auc["low"] <= CHANCE:
        return "cannot be told from chance"
    return (
        "beats popularity" if over_popularity["low"] > 0 else "does not beat popularity, but ranks better than chance"
    )


def judged_against_popularity(
    ranked: Mapping[str, Any], over_popularity: Mapping[str, Any], least_ratings: int
) -> dict[str, Any]:
    """Return the figures of one encoder with their verdict; the first two arguments have rho and auc.

    ``least_ratings``: how many ratings of unseen items a person needed to be judged.
    """
    return {
        "least_ratings": least_ratings,
        "auc": ranked["auc"],
        "over_popularity": dict(over_popularity),
        "verdict": verdict(ranked["auc"], over_popularity["auc"]),
    }


def verdict_line(found: Mapping[str, Any], items: str) -> str:
    """Return the verdict as one plain sentence with its figures; ``items`` says on which items it was measured."""
    auc, ahead, said = found["auc"], found["over_popularity"]["auc"], found["verdict"]
    if said == "not measured":
        return f"Too few {items} have ratings by the same users to say how well the encoder ranks what it never saw."
    judges = f"{auc['users']:,} people with {found['least_ratings']} ratings or more of them"
    figures = (
        f"On {items} and {judges}, the encoder orders two of a user's ratings rightly with probability "
        f"{with_interval(auc)}, chance being {CHANCE:g}. Its lead over popularity is {with_interval(ahead, sign='+')}"
    )
    return f"{figures}. It {said}."


def with_interval(found: Mapping[str, Any], sign: str = "") -> str:
    """Return a figure with its interval, such as ``0.609 [0.596, 0.622]``; ``sign`` "+" shows it of all three."""
    value, low, high = (f"{found[part]:{sign}.3f}" for part in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"
