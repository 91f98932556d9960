"""The trial: findings whose answers are known by construction, and the command on a project that stays as it is."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from eagle.cli import app
from eagle.config.parameters import params_yaml
from eagle.core.project import Project
from eagle.domains.open import default_domain
from eagle.plan.trial import findings, scratch
from eagle.plan.trial.changes import draw_seeds
from eagle.plan.trial.findings import Finding
from eagle.plan.trial.run import counted, quotes, table_lines
from tests.dvc_here import dvc
from tests.end_to_end.small_world import small_config, write_project


@pytest.mark.parametrize(
    ("hits", "figure", "verdict"),
    [
        ([True] * 8 + [False] * 2, "8 of 10", "good"),
        ([True] * 5 + [False] * 5, "5 of 10", "doubtful"),
        ([True] * 4 + [False] * 6, "4 of 10", "bad"),
        ([], "none to judge", "bad"),
    ],
)
def test_a_share_has_its_verdict(hits: list[bool], figure: str, verdict: str) -> None:
    found = findings.share_finding("whole", hits, "")
    assert (found.figure, found.verdict) == (figure, verdict)


def test_a_text_is_on_topic_by_its_words_or_by_its_meaning() -> None:
    anchors = np.eye(2)
    table = pd.DataFrame(
        {
            "anchor": [0, 0, 0],
            "before": ["Genres: crime. Plot: A retired thief plans a robbery."] * 3,
            "text": ["Genres: crime. Plot: A retired thief plans a wedding.", *["Genres: war. Plot: Snow fell."] * 2],
        }
    )
    nearest_other, nearest_own = anchors[1], anchors[0]
    texts = np.array([nearest_other, nearest_own, nearest_other])
    assert findings.on_topic(table, anchors, texts).tolist() == [True, True, False]


CHANGES = pd.DataFrame({"anchor": [0, 0, 0, 0, 1], "action": ["a", "a", "b", "b", "a"]})


def test_actions_that_move_a_text_more_than_chance_are_told_apart() -> None:
    """Samples of an action lie 1 apart, those of the two actions 3, 4, 2 and 3; the other anchor has one sample."""
    points = np.array([[0.0], [1.0], [3.0], [4.0], [100.0]])
    assert findings.distance_ratio(CHANGES, points) == pytest.approx(3.0)
    by_chance = np.array([[0.0], [3.0], [0.0], [3.0], [100.0]])
    ratio = findings.distance_ratio(CHANGES, by_chance)
    assert ratio == pytest.approx(0.5)
    assert findings.ratio_finding("moved", ratio, (1.2, 1.0), "").verdict == "bad"


def test_the_spread_of_actions_is_in_spacings_of_the_catalogue() -> None:
    """Items stand at 0, 1, ..., 9, two of them twice; texts by different actions are 2 apart."""
    catalogue = np.append(np.arange(10.0), [4.0, 7.0])[:, None]
    points = np.array([[0.0], [0.0], [2.0], [2.0], [50.0]])
    ratio = findings.spread_ratio(CHANGES, points, catalogue)
    assert ratio == pytest.approx(2.0)
    assert findings.ratio_finding("moved", ratio, (1.0, 0.5), "").verdict == "good"


def test_nothing_to_compare_is_said_and_is_bad() -> None:
    alone = CHANGES.iloc[[0, 4]]
    for ratio in (
        findings.distance_ratio(alone, np.zeros((2, 1))),
        findings.spread_ratio(alone, np.zeros((2, 1)), np.eye(3)),
    ):
        found = findings.ratio_finding("moved", ratio, (1.0, 0.5), "")
        assert (found.figure, found.verdict) == ("nothing to compare", "bad")


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("beats popularity", "good"),
        ("does not beat popularity, but ranks better than chance", "doubtful"),
        ("cannot be told from chance", "bad"),
        ("not measured", "bad"),
    ],
)
def test_the_encoder_has_the_verdict_of_its_stage(said: str, verdict: str) -> None:
    auc, ahead = {"value": 0.61, "low": 0.6, "high": 0.62}, {"value": -0.04, "low": -0.05, "high": -0.03}
    found = findings.encoder_finding({"auc": auc, "over_popularity": {"auc": ahead}, "verdict": said})
    assert found.verdict == verdict
    assert ("-0.040 [-0.050, -0.030]" in found.figure) == (said != "not measured")


def test_too_few_users_are_doubtful_and_hardly_any_are_bad() -> None:
    assert [findings.count_finding("users", n, 40, "").verdict for n in (40, 39, 10, 9)] == [
        "good",
        "doubtful",
        "doubtful",
        "bad",
    ]
    assert findings.count_finding("users", 1, 4, "").verdict == "bad"


def test_what_to_do_stands_below_its_line_and_only_where_something_is_wrong() -> None:
    found = [Finding("one", "1", "2", "bad", "do this"), Finding("two", "2", "2", "good", "leave this")]
    lines = table_lines(found)
    assert [line.split()[0] for line in lines] == ["what", "one", "what", "two"]
    assert lines[2].endswith("do this")
    assert "leave this" not in "".join(lines)


def test_causes_of_broken_texts_are_counted() -> None:
    assert counted(("too_short", "unended"), (), ("unended",), ("cut off",)) == "unended 2, too short 1, cut off 1"
    assert counted((), ()) == "none"


def test_texts_are_quoted_as_they_are_and_failures_too() -> None:
    rows = [(a, f"was {a}", f"do {n}", f"is {a}{n}" if a else None, "cut off") for a in range(4) for n in range(5)]
    lines = quotes(pd.DataFrame(rows, columns=["anchor", "before", "action", "text", "cause"]))
    assert [line.strip() for line in lines if "before" in line] == [f"before: was {a}" for a in range(3)]
    assert "  change: do 1" in lines
    assert "  after:  is 22" in lines
    assert "  after:  (failed: cut off)" in lines


def test_actions_are_drawn_by_the_seed_and_without_labels_all_are_generic() -> None:
    domain = default_domain()
    drawn = draw_seeds(["crime", "comedy"], domain, 7)
    assert [seed.kind for seed in drawn] == ["generic"] * 3 + ["personalized"] * 2
    assert drawn == draw_seeds(["crime", "comedy"], domain, 7) != draw_seeds(["crime", "comedy"], domain, 8)
    assert len({seed.action for seed in draw_seeds([], domain, 7)}) == 5


def test_stages_are_taken_over_up_to_the_first_that_dvc_calls_stale(tmp_path: Path) -> None:
    project, files = Project(tmp_path), dict.fromkeys(scratch.STAGES, "")
    assert scratch.finished_stages(project) == []
    stages = {}
    for name in [*scratch.STAGES, scratch.ADAPTED]:
        outs = [str(path.relative_to(tmp_path)) for path in scratch.outputs_of(project, name)]
        made = " && ".join(f"mkdir -p {Path(out).parent} && echo made > {out}" for out in outs)
        (tmp_path / f"{name}.txt").write_text("one")
        stages[name] = {"cmd": made, "deps": [f"{name}.txt"], "outs": outs}
    project.dvc_yaml.write_text(yaml.safe_dump({"stages": stages}))
    dvc(tmp_path, "init", "--no-scm", "--quiet")
    dvc(tmp_path, "repro", "--quiet")
    assert scratch.finished_stages(project) == [*scratch.STAGES, scratch.ADAPTED]
    (tmp_path / "split.txt").write_text("two")
    assert scratch.finished_stages(project) == list(scratch.STAGES[: list(files).index("split")])


def hashes(root: Path) -> dict[str, str]:
    """Every file below ``root`` with its hash."""
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in root.rglob("*") if p.is_file()}


def test_the_command_says_all_and_leaves_the_project_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(tmp_path, tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(scratch, "finished_stages", lambda project: ["models"])  # these need no network
    before = hashes(tmp_path)
    done = CliRunner().invoke(app, ["check", "--trial"])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("trial: 20 changes of 4 training items (film)")
    lines = done.stdout.splitlines()
    for what in ("whole", "changed", "on topic", "moved by", "encoder on unseen items", "test users", "test items"):
        assert [line for line in lines if line.startswith(what)], what
    verdicts = {line.split()[-1] for line in lines[3:12] if not line.startswith(" ")}
    assert verdicts <= {"good", "doubtful", "bad"}
    assert done.stdout.count("  change: ") == 3
    assert hashes(tmp_path) == before


def test_a_trial_that_cannot_work_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "params.yaml").write_text(params_yaml(small_config(tmp_path)), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(scratch, "finished_stages", lambda project: ["models"])
    done = CliRunner().invoke(app, ["check", "--trial"])
    assert done.exit_code == 2
    assert "ratings.csv" in done.output


def test_two_questions_at_once_are_refused() -> None:
    assert CliRunner().invoke(app, ["check", "--trial", "--plan"]).exit_code == 2
