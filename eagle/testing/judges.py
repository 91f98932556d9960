"""What every judge has to do."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from eagle.evaluation.judges.base import Judge, JudgeData
from eagle.testing.worlds import catalogue, tell

TAKEN = frozenset(
    {"arm", "case", "anchor", "user", "step", "action", "text", "valid", "cause", "copied", "duplicate", "year", "z"}
    | {"utility", "preference", "distance_bonus", "genre_line_utility"}
)
"""Columns that trajectories have before they are judged."""


class JudgeContract:
    """Override the fixture ``judge_class``: the class that ``evaluate.judges`` names."""

    @pytest.fixture
    def judge_class(self) -> type[Judge]:
        raise NotImplementedError("override the fixture judge_class: return your class")

    @pytest.fixture
    def data(self) -> JudgeData:
        ratings, told, _ = catalogue()
        texts = {f"i{n}": (text, 1950 + n % 50 if n % 7 else None) for n, text in enumerate(told)}
        splits = {f"i{n}": ("validation", "test")[n % 2] for n in range(2 * len(told) // 3)}
        anchors, users = ["i0", "i0", "i1", "i2"], ["u0", "u1", "u0", "u20"]
        cases = pd.DataFrame({"case": range(4), "anchor": anchors, "user": users})
        return JudgeData(
            ratings,
            texts,
            ("u20", "u21", "u22"),
            seed=7,
            resamples=20,
            confidence=0.95,
            hidden=ratings.assign(split=ratings["item"].map(splits)).dropna(subset="split"),
            cases=cases.assign(
                text=[texts[anchor][0] for anchor in anchors],
                year=pd.Series([texts[anchor][1] for anchor in anchors], dtype=object),
            ),
        )

    @pytest.fixture
    def judge(self, judge_class: type[Judge], data: JudgeData) -> Judge:
        return judge_class.fit(data)

    @pytest.fixture
    def cases(self, data: JudgeData) -> pd.DataFrame:
        return data.cases

    @pytest.fixture
    def trajectories(self, cases: pd.DataFrame) -> pd.DataFrame:
        """Two arms: each case's own text, then two changes; the index is not 0, 1, 2."""
        rows = [
            {"arm": arm, "case": case.case, "anchor": case.anchor, "user": case.user, "step": step, "text": text}
            for arm in ("one", "other")
            for case in cases.itertuples()
            for step, text in enumerate((case.text, tell(["crime", "war"], "robot"), tell(["comedy"], "clown")))
        ]
        table = pd.DataFrame(rows).assign(action="Make the hero a robot.", valid=True, cause=None, copied=False)
        return table.assign(duplicate=False, utility=0.0).set_index(np.arange(len(rows)) + 100)

    def test_columns_are_its_own(self, judge: Judge) -> None:
        assert judge.columns, "columns should name what the judge says, at least one column"
        assert len(set(judge.columns)) == len(judge.columns), "a column stands twice in columns"
        taken = TAKEN & set(judge.columns)
        assert not taken, f"trajectories have these columns already: {', '.join(sorted(taken))}"

    def test_every_row_is_judged(self, judge: Judge, trajectories: pd.DataFrame, cases: pd.DataFrame) -> None:
        judged = judge.judge(trajectories, cases)
        assert tuple(judged.columns) == tuple(judge.columns), (
            f"judge should return the columns that it names: {list(judge.columns)}, got {list(judged.columns)}"
        )
        assert judged.index.equals(trajectories.index), "judge should keep the trajectories' index, row for row"
        values = judged.to_numpy(float)
        assert not np.isinf(values).any(), "a judgement should be a finite number, or NaN where the judge does not know"
        assert np.isfinite(values).any(axis=0).all(), "every column should hold a number for some row"

    def test_what_it_is_given_stays_as_it_is(
        self, judge: Judge, trajectories: pd.DataFrame, cases: pd.DataFrame
    ) -> None:
        before = trajectories.copy(), cases.copy()
        judge.judge(trajectories, cases)
        pd.testing.assert_frame_equal(trajectories, before[0])
        pd.testing.assert_frame_equal(cases, before[1])

    def test_an_equal_text_is_judged_equally(
        self, judge: Judge, trajectories: pd.DataFrame, cases: pd.DataFrame
    ) -> None:
        judged = judge.judge(trajectories, cases)
        one, other = (judged[trajectories["arm"] == arm].to_numpy(float) for arm in ("one", "other"))
        np.testing.assert_allclose(one, other, atol=1e-9, err_msg="an equal text is judged otherwise in another arm")
        turned = judge.judge(trajectories[::-1], cases)[::-1]
        np.testing.assert_allclose(
            turned.to_numpy(float), judged.to_numpy(float), atol=1e-9, err_msg="judgements depend on the rows' order"
        )

    def test_the_same_data_give_the_same_judge(
        self, judge: Judge, judge_class: type[Judge], data: JudgeData, trajectories: pd.DataFrame, cases: pd.DataFrame
    ) -> None:
        again = judge_class.fit(data).judge(trajectories, cases)
        pd.testing.assert_frame_equal(judge.judge(trajectories, cases), again)

    def test_its_check_is_plain_numbers(self, judge: Judge) -> None:
        found = judge.check()
        assert found, "check should say how good the judge is on ratings that it has not seen"
        try:
            json.dumps(found, allow_nan=False)
        except (TypeError, ValueError) as error:
            pytest.fail(f"check goes into metrics.json: plain numbers, None for none, no NaN ({error})")
