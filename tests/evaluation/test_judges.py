"""The panel keeps the judges' contract, and judges of one's own stand beside it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from eagle.built_in.judges import JUDGES
from eagle.core.errors import EagleError
from eagle.evaluation.judges.base import Judge, JudgeData
from eagle.evaluation.judges.fitting import fit_judges, judged_by_all
from eagle.evaluation.judges.panel_judge import PanelJudge
from eagle.evaluation.judges.shelf import HiddenShelf
from eagle.testing.judges import JudgeContract

OWN = """
import pandas as pd


class Brevity:
    columns = ("words",)

    @classmethod
    def fit(cls, data):
        return cls()

    def judge(self, trajectories, cases):
        return pd.DataFrame({"words": trajectories["text"].str.split().str.len().astype(float)})

    def check(self):
        return {"users": 0}


class Greedy(Brevity):
    columns = ("utility",)


class Short(Brevity):
    def judge(self, trajectories, cases):
        return super().judge(trajectories, cases).head(1)
"""


class TestPanel(JudgeContract):
    @pytest.fixture
    def judge_class(self) -> type[Judge]:
        return PanelJudge

    def test_it_is_built_in_beside_the_hidden_shelf(self, data: JudgeData) -> None:
        judges = fit_judges(JUDGES, data)
        assert {name: type(judge) for name, judge in judges.items()} == {
            "panel": PanelJudge,
            "hidden_shelf": HiddenShelf,
        }

    @pytest.fixture
    def own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
        (tmp_path / "own_judges_of_a_test.py").write_text(OWN)
        monkeypatch.syspath_prepend(tmp_path)
        return "own_judges_of_a_test"

    def test_ones_own_columns_stand_after_the_panels(
        self, own: str, data: JudgeData, trajectories: pd.DataFrame, cases: pd.DataFrame
    ) -> None:
        judges = fit_judges(["panel", f"{own}:Brevity"], data)
        judged = judged_by_all(judges, trajectories, cases)
        assert list(judges) == ["panel", "Brevity"]
        assert list(judged) == [*trajectories, *PanelJudge.columns, "words"]
        assert judged["words"].tolist() == [len(text.split()) for text in judged["text"]]

    @pytest.mark.parametrize(
        ("name", "said"),
        [("Greedy", "columns that the trajectories have already"), ("Short", "found: 1 rows")],
    )
    def test_what_would_spoil_the_table_is_refused(
        self, own: str, name: str, said: str, data: JudgeData, trajectories: pd.DataFrame, cases: pd.DataFrame
    ) -> None:
        with pytest.raises(EagleError, match=said):
            judged_by_all(fit_judges([f"{own}:{name}"], data), trajectories, cases)

    def test_one_name_for_two_judges_is_refused(self, own: str, data: JudgeData) -> None:
        with pytest.raises(EagleError, match="two judges are called Brevity"):
            fit_judges([f"{own}:Brevity", f"{own}:Brevity"], data)
