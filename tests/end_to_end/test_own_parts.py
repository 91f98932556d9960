"""A whole small run with an encoder, a utility and a judge of one's own, as docs/extending.md gives them, and with a
domain of one's own: one file and one line each, and all of them are seen in the tables.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eagle.config.stages import all_instances, run_stage
from eagle.core.project import Project
from tests.docs.extending_page import write_files
from tests.end_to_end.small_world import small_config, write_project

DOMAIN = """
from dataclasses import replace

from eagle.domains.film import film


def dragons(settings, noun):
    words = film(settings, noun)
    return replace(words, generic=tuple(("Let a dragon guard the gold.", *actions) for actions in words.generic))
"""
KINDS = {"encoder": "own_encoder:BagOfWords", "utility": "own_utility:Cautious", "judge": "own_judge:Crowd"}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("own parts")
    write_project(root, root / "models")
    write_files(root)
    (root / "own_dragons.py").write_text(DOMAIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.syspath_prepend(root)
        config = small_config(
            root / "models/llm",
            domain={"kind": "own_dragons:dragons"},
            encoder={"kind": KINDS["encoder"]},
            utility={"kind": KINDS["utility"]},
            reference={"names": ["g_optimal"], "updates": 1},
            evaluate={"judges": ["panel", KINDS["judge"]], "macro": False, "other_temperature": None, "anchors": 2},
        )
        names = all_instances(config)
        for name in names[: names.index("report") + 1]:
            if name != "models":
                run_stage(name, config, Project(root))
    return root / "reports"


def test_the_encoder_is_judged_beside_the_built_in_ones(reports: Path) -> None:
    report = json.loads((reports / "stages/encoder.json").read_text())
    assert (report["kind"], report["dimension"]) == (KINDS["encoder"], 24)
    for group in report["cold"].values():
        assert {KINDS["encoder"], "joint_hybrid, as in U", "two_stage, as in U"} <= set(group)


def test_the_domains_actions_are_tried(reports: Path) -> None:
    tried = pd.read_parquet(reports / "candidates.parquet")["action"]
    assert "Let a dragon guard the gold." in set(tried)


def test_the_utilitys_parts_make_it_up(reports: Path) -> None:
    rows = pd.read_parquet(reports / "trajectories.parquet")
    assert "distance_bonus" not in rows
    raw = rows["preference"] - 0.5 * rows["part_remoteness"]
    for _, mine in rows.assign(raw=raw).groupby("user"):
        assert np.corrcoef(mine["raw"], mine["utility"])[0, 1] == pytest.approx(1, abs=1e-6)


def test_the_judge_is_in_every_table(reports: Path) -> None:
    rows, table = pd.read_parquet(reports / "trajectories.parquet"), pd.read_csv(reports / "table2.csv")
    metrics = json.loads((reports / "metrics.json").read_text())
    assert list(table)[-4:] == [f"crowd_rating{part}" for part in ("", "_low", "_high", "_cases")]
    final = rows.sort_values("step").groupby(["arm", "case"])["crowd_rating"].last().groupby("arm").mean()
    for _, row in table.iterrows():
        assert row["crowd_rating"] == pytest.approx(final[row["arm"]], abs=1e-4)
        assert metrics[row["arm"]]["crowd_rating"]["mean"] == pytest.approx(final[row["arm"]], abs=1e-4)
    assert metrics["Crowd"]["items"] > 0 and "auc" in metrics["panel"]


def test_the_report_is_made_as_ever(reports: Path) -> None:
    assert "distance" in pd.read_parquet(reports / "gaps.parquet")
    assert (reports / "report.html").stat().st_size > 10_000
