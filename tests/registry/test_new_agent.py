"""Which agent stands for champion, and which of its bounds it breaks."""

from __future__ import annotations

import pandas as pd
import pytest

from eagle.config import Config
from eagle.core.project import Project
from eagle.evaluation.arm import eagle_arm, reference_arm
from eagle.registry.champion import surroundings
from eagle.registry.new_agent import best_agent, best_arm
from tests.report.finished_run import ANCHORS, USERS, finished_run

KEPT = {
    "distinct_actions": 1,
    "valid_actions": 0.0,
    "mutual_information": 0.0,
    "defects": 1.0,
    "copies": 1.0,
    "kl": 100.0,
}


def bounded(**bounds: float) -> Config:
    return Config.model_validate({"registry": {"bounds": KEPT | bounds}})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = finished_run(tmp_path_factory.mktemp("run"))
    for path in (project.llm / "weights", project.descriptions, project.quality):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("made up", encoding="utf-8")
    return project


def test_the_best_arm_is_the_trained_free_one_with_the_highest_mean_final_utility() -> None:
    arms = [eagle_arm("uniform", 1), eagle_arm("g_optimal", 1), eagle_arm("g_optimal", 1, "listed")]
    arms += [reference_arm("uniform", 1), eagle_arm("optimistic", 1)]
    final = dict(zip(arms, (0.1, 0.4, 0.9, 0.9, 0.4), strict=True))
    rows = [
        {"arm": arm.name, "case": case, "step": step, "utility": (value if step else 9.0) + case}
        for arm, value in final.items()
        for case in (0, 1)
        for step in (1, 0)
    ]
    assert best_arm(arms, pd.DataFrame(rows)) == eagle_arm("g_optimal", 1)


def test_the_agent_stands_with_its_cases_and_scores(project: Project) -> None:
    agent = best_agent(bounded(), project)
    assert agent.arm == eagle_arm("g_optimal", 2)
    pairs = [(anchor, user) for anchor in ANCHORS for user in USERS]
    assert list(agent.cases.itertuples(index=False, name=None)) == pairs
    assert list(zip(agent.scores.anchors, agent.scores.users, strict=True)) == pairs
    assert agent.broken == []


def test_bounds_are_held_against_figures_and_the_last_kl(project: Project) -> None:
    broken = best_agent(bounded(kl=1.5, distinct_actions=99), project).broken
    assert [(check.name, check.bound) for check in broken] == [("distinct_actions", 99.0), ("kl", 1.5)]
    assert broken[1].value == pytest.approx(2.0)


def test_no_report_is_needed_to_decide(project: Project) -> None:
    assert not project.bounds.exists() and not project.report.exists()
    assert best_agent(bounded(copies=0.5), project).broken == []


def hashed(
    project: Project,
    changed: dict | None = None,
    *,
    searched: bool = False,
    seed: int = 7,
    quality: dict | None = None,
) -> str:
    config = Config.model_validate({"seed": seed, "evaluate": changed or {}, "quality": quality or {}})
    cases = pd.DataFrame({"anchor": ANCHORS[:1], "user": USERS[:1]})
    return surroundings(config, project, cases, searched)


@pytest.mark.parametrize(
    "changed",
    [
        {"bootstrap": 50},
        {"confidence": 0.8},
        {"macro": True},
        {"listed_arms": True},
        {"other_temperature": 1.5},
        {"methods": ["search_random"]},
        {"budgets": {"most": 0}},
        {"judges": ["panel"]},
        {"search": {"budget": 3}},
    ],
)
def test_what_decides_no_score_lets_the_champions_stand(project: Project, changed: dict) -> None:
    assert hashed(project, changed) == hashed(project)


def test_what_decides_a_score_has_the_champion_play_again(project: Project) -> None:
    known = [hashed(project), hashed(project, searched=True), hashed(project, {"search": {"budget": 3}}, searched=True)]
    for quality in ({"select": ["unended"]}, {"names": ["Henry"]}):
        known.append(hashed(project, searched=True, quality=quality))
    known += [hashed(project, {"horizon": 9}), hashed(project, {"temperature": 0.0}), hashed(project, seed=8)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("eagle.registry.champion.code_behind", lambda *_: "an update of the package")
        known.append(hashed(project))
    assert len(set(known)) == len(known)
