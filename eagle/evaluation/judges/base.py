"""The seam: what a judge of texts has to offer. A judge shares nothing with the utility."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

import pandas as pd

Texts = Mapping[str, tuple[str, int | None]]
"""Item id -> (text of a state, year)."""


@dataclass(frozen=True)
class JudgeData:
    """What a judge may learn from: ratings that no stage before the evaluation learns from."""

    ratings: pd.DataFrame  # user, item, rating: rows of part `panel`
    texts: Texts  # of every described item
    raters: Sequence[str]  # users whose opinion on others' texts is asked
    seed: int
    resamples: int  # of bootstrap intervals
    confidence: float  # level of the intervals
    hidden: pd.DataFrame  # user, item, rating, split: all rows of validation items and, where judged, of test items
    cases: pd.DataFrame  # case, anchor, user, text (the anchor's), year: what will be judged


class Judge(Protocol):
    """Says what somebody would make of the texts."""

    columns: ClassVar[tuple[str, ...]]
    """Names of what it says about a text: columns of the trajectories; their means per arm stand in table2.csv and
    metrics.json."""

    @classmethod
    def fit(cls, data: JudgeData) -> Self:
        """Learn, and hold what :meth:`check` needs."""
        ...

    def judge(self, trajectories: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
        """Return :attr:`columns`, one row of numbers for each row of ``trajectories``, under its index.

        NaN where the judge does not know: means leave such cases out and say how many are left.

        ``trajectories``: arm, case, anchor, user, step, action, text, utility and more. ``cases``: case, anchor, user,
        text (the anchor's), year. An equal text in an equal case is judged equally, whichever arm it is from.
        """
        ...

    def check(self) -> dict[str, object]:
        """Return how good the judge is on real data that it has not seen: plain numbers, for metrics.json."""
        ...
