"""The built-in judge: the simulated panel, with the noise that it has on items it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from eagle.evaluation.judges.base import JudgeData
from eagle.evaluation.judges.judging import judge
from eagle.evaluation.judges.panel import Panel
from eagle.evaluation.judges.panel_check import PanelCheck, check_panel


@dataclass(frozen=True)
class PanelJudge:
    """A :class:`~eagle.evaluation.judges.base.Judge`; columns as in :func:`eagle.evaluation.judges.judging.judge`."""

    panel: Panel
    found: PanelCheck
    raters: Sequence[str]
    columns: ClassVar[tuple[str, ...]] = ("user_preference", "user_choice", "rater_preference", "distance")

    @classmethod
    def fit(cls, data: JudgeData) -> PanelJudge:
        """Fit the panel to its own rows and judge it by cross-validation; its noise is the error on unseen items."""
        found = check_panel(data.ratings, data.texts, data.seed, data.resamples, data.confidence)
        panel = Panel.fit(data.ratings, data.texts)
        return cls(panel if np.isnan(found.rmse) else panel.with_noise(found.rmse), found, data.raters)

    def judge(self, trajectories: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
        """Return what users and raters would prefer, and the distance from the anchor's words."""
        return judge(trajectories, cases, self.panel, self.raters)[list(self.columns)]

    def check(self) -> dict[str, object]:
        """Return the cross-validated ranking of unseen items, with intervals over users."""
        return self.found.as_dict()
