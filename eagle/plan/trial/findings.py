"""What a trial finds: a figure, what is needed, a verdict and what to do. Pure functions of what was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd

from eagle.evaluation.words import words_kept
from eagle.latent.neighbours import neighbours_among
from eagle.latent.verdict import with_interval

Verdict = Literal["good", "doubtful", "bad"]
GOOD_SHARE, DOUBTFUL_SHARE = 0.8, 0.5  # of the changes [O]
KEPT_WORDS = 0.5  # share of the anchor's words that shows the text to be about it still [O]
GOOD_APART, DOUBTFUL_APART = 1.2, 1.0  # distance by action over distance by chance; 1 is no difference [O]
GOOD_SPREAD, DOUBTFUL_SPREAD = 1.0, 0.5  # distance by action over the spacing of the catalogue [O]
FEW = 4  # a quarter of the users or items asked for is still something [O]


@dataclass(frozen=True)
class Finding:
    """One line of a trial; ``mend`` is what to do where the verdict is not good."""

    what: str
    figure: str
    needed: str
    verdict: Verdict
    mend: str


def graded(value: float, good: float, doubtful: float) -> Verdict:
    """Return the verdict on a figure of which more is better; NaN is bad."""
    return "good" if value >= good else "doubtful" if value >= doubtful else "bad"


def share_finding(what: str, hits: Sequence[bool] | np.ndarray, mend: str) -> Finding:
    """Return the finding about a share of changes; bad where there are none."""
    count, found = len(hits), int(np.sum(hits))
    share = found / count if count else np.nan
    figure = f"{found} of {count}" if count else "none to judge"
    return Finding(what, figure, f"{GOOD_SHARE:.0%}", graded(share, GOOD_SHARE, DOUBTFUL_SHARE), mend)


def on_topic(table: pd.DataFrame, anchors: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """Whether each change is about its own anchor still, (n,) bool: it keeps half of its words, or is nearest to it.

    ``table`` has anchor, before and text; ``anchors`` (n_anchors, e) and ``texts`` (n, e): unit sentence vectors.
    """
    own = table["anchor"].to_numpy()
    nearest = (texts @ anchors.T).argmax(axis=1) == own if len(anchors) > 1 else np.zeros(len(table), bool)
    kept = np.array([words_kept(b, t) >= KEPT_WORDS for b, t in zip(table["before"], table["text"], strict=True)], bool)
    return kept | nearest


def distance_ratio(table: pd.DataFrame, points: np.ndarray) -> float:
    """Return the mean distance between texts of one anchor by different actions over that by the same action; NaN where
    there are no such pairs.

    ``table`` has anchor and action; ``points`` (n, d): where the texts lie.
    """
    by: dict[bool, list[float]] = {True: [], False: []}
    rows = list(zip(table["anchor"], table["action"], points, strict=True))
    sampled = set(table.loc[table.duplicated(["anchor", "action"]), "anchor"])
    for (one, action, here), (other, second, there) in combinations(rows, 2):
        if one == other and one in sampled:
            by[action == second].append(float(np.linalg.norm(here - there)))
    if not by[True] or not by[False]:
        return float("nan")
    chance = float(np.mean(by[True]))
    return float(np.mean(by[False])) / chance if chance > 0 else float("inf")


def spread_ratio(table: pd.DataFrame, points: np.ndarray, catalogue: np.ndarray) -> float:
    """Return the median distance between texts of one anchor by different actions over the catalogue's spacing, the
    median distance of an item to the nearest that lies elsewhere; NaN where there are no such texts or items.

    ``table`` has anchor and action; ``points`` (n, d), ``catalogue`` (n_items, d).
    """
    rows = list(zip(table["anchor"], table["action"], points, strict=True))
    apart = [np.linalg.norm(z - y) for (a, b, z), (c, d, y) in combinations(rows, 2) if a == c and b != d]
    places = np.unique(catalogue, axis=0)
    if not apart or len(places) < 2:
        return float("nan")
    spacing = neighbours_among(places)(places, 2)[0][:, 1]
    return float(np.median(apart) / np.median(spacing))


def ratio_finding(what: str, ratio: float, bounds: tuple[float, float], mend: str) -> Finding:
    """Return the finding about a ratio; ``bounds``: from where it is good, and doubtful."""
    figure = "nothing to compare" if np.isnan(ratio) else f"{ratio:.2f} times"
    return Finding(what, figure, f"{bounds[0]:g} times", graded(ratio, *bounds), mend)


def encoder_finding(found: Mapping[str, Any]) -> Finding:
    """Return the finding about the encoder on validation items; ``found``: auc, over_popularity and verdict."""
    auc, ahead = found["auc"], found["over_popularity"]["auc"]
    verdicts: dict[str, Verdict] = {
        "beats popularity": "good",
        "does not beat popularity, but ranks better than chance": "doubtful",
    }
    figure = "nobody to judge"
    if found["verdict"] != "not measured":
        figure = f"AUC {with_interval(auc)}, over popularity {with_interval(ahead, sign='+')}"
    return Finding(
        "encoder on unseen items",
        figure,
        "above popularity's",
        verdicts.get(found["verdict"], "bad"),
        "more ratings, texts that tell more of an item, categories; U is worth no more than this",
    )


def count_finding(what: str, count: int, asked: int, mend: str) -> Finding:
    """Return the finding about how many users or items the evaluation finds, of those it asks for."""
    return Finding(what, f"{count:,}", f"{asked:,}", graded(count, asked, max(2, asked / FEW)), mend)
