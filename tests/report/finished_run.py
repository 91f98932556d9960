"""A small finished run, made up: every file that the report reads, with hostile texts in all of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from eagle.core.artifacts import write_arrays, write_json, write_table
from eagle.core.project import Project
from eagle.evaluation import tables
from eagle.evaluation.arm import Arm, anchor_arm, eagle_arm, reference_arm, rule_arms, write_arms
from eagle.evaluation.budget_table import BudgetTable
from eagle.evaluation.comparison import Comparison
from eagle.stats.bootstrap import TwoWayBootstrap

HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>"
DIMENSION = 4
ITEMS = [f"i{n}" for n in range(40)]
ANCHORS, USERS = ITEMS[:5], [f"u{n}" for n in range(6)]
RANDOM, _, LINEAR, *_ = rule_arms(2)
SEARCH = Arm("search", "method", None, "free", "A made-up search", 12)  # known to no other module
GAINS = {
    anchor_arm(): [],
    RANDOM: [0.0, 0.1],
    LINEAR: [0.3, 0.45],
    reference_arm("g_optimal", 2): [0.05, 0.08],
    eagle_arm("g_optimal", 2): [0.4, 0.7],
    eagle_arm("g_optimal", 2, "listed"): [0.35, 0.6],
    SEARCH: [0.5, 0.9],
}
ARMS = tuple(GAINS)


def _text(name: str, step: int, case: int) -> str:
    plot = f"A retired thief {case} and $100 {HOSTILE} plan {name} job number {step} in the harbour."
    return f"Genres: crime, drama. Plot: {plot}"


def trajectories() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    cases = [(anchor, user) for anchor in ANCHORS for user in USERS]
    base, vectors = rng.normal(size=len(cases)), rng.normal(size=(len(cases), DIMENSION))
    for arm, gains in GAINS.items():
        for case, (anchor, user) in enumerate(cases):
            for step, gain in enumerate([0.0, *gains]):
                failed = step == 2 and case % 7 == 0
                rows.append(
                    {
                        "arm": arm.name,
                        "case": case,
                        "anchor": anchor,
                        "user": user,
                        "step": step,
                        "action": f"Add {HOSTILE} number {step}." if step else "",
                        "text": _text(arm.name if step else "old", step, case),
                        "utility": base[case] + gain + (0.3 * rng.normal() if step else 0),
                        "valid": not failed,
                        "cause": f"broken {HOSTILE}" if failed else None,
                        "copied": False,
                        "seed": 1,
                        "duplicate": False,
                        "eligible": True,
                        "user_preference": 0.5 + gain / 10,
                        "user_choice": 1.0 if gain else 0.5,
                        "rater_preference": 0.5,
                        "distance": 0.2 * step,
                        "genre_line_utility": base[case] + gain / 2,
                        "z": (vectors[case] + 0.5 * step).tolist(),
                    }
                )
    return pd.DataFrame(rows)


def _evaluation(project: Project) -> None:
    judged = trajectories()
    cases = judged[(judged["arm"] == "anchor")].drop(columns=["arm"]).reset_index(drop=True)
    bootstrap = TwoWayBootstrap(cases["anchor"].tolist(), cases["user"].tolist(), 100, 0.95, 0)
    groups = {
        "anchors": np.where(cases["anchor"] < "i2", "low_rated", "high_rated"),
        "gender": np.full(len(cases), HOSTILE),
    }
    results = Comparison(ARMS, judged, cases, [], groups, bootstrap, 0).results()
    estimate = {"mean": 0.6, "low": 0.58, "high": 0.62}
    extra = {
        "cases": {"anchors": 5, "users": 6, "count": 30, "horizon": 2, "noun": "film", "confidence": 0.95},
        "panel": {"auc": estimate, "auc_average_rater": estimate, "near_chance": False},
        "inputs": {"environment": HOSTILE},
    }
    write_arms(project, ARMS)
    write_table(project.trajectories, judged, "trajectories")
    write_json(project.metrics, tables.metrics(results, extra))
    write_json(project.headline, tables.headline(results))
    made = {"table2": tables.table2(results), "table3": tables.table3(results, HOSTILE, None)}
    made["table4"] = tables.table4(results, personalised=True)
    _at_budgets(bootstrap, cases).to_csv(project.budget, index=False)
    for name, table in made.items():
        table.to_csv(project.reports / f"{name}.csv", index=False)


def _at_budgets(bootstrap: TwoWayBootstrap, cases: pd.DataFrame) -> pd.DataFrame:
    anchors = cases.assign(preference_stars=0.0)
    answers = [
        anchors.assign(arm=arm, budget=budget, utility=cases["utility"] + gain * budget, found=True)
        for arm, gain in (("search_eagle", 0.5), (SEARCH.name, 0.2), (f"own {HOSTILE}", 0.1))
        for budget in (1, 2)
    ]
    judged = pd.concat(answers).assign(shelf_stars=np.nan)  # nobody has enough hidden ratings
    return BudgetTable(bootstrap, ["user_choice", "shelf_stars"]).of(judged, anchors)


def _training(project: Project) -> None:
    (project.reports / "curves").mkdir(parents=True)
    rising = np.linspace(0, 1, 12)
    updates = pd.DataFrame({"update": range(12), "utility": rising, "kl": 2 * rising, "loss": 1 - rising})
    updates.to_csv(project.curve("train_g_optimal"), index=False)
    updates.to_csv(project.curve("reference_g_optimal"), index=False)
    for seconds, stage in enumerate(("fetch", "encoder", "train@g_optimal", "evaluate"), start=1):
        costs = {
            "seconds": seconds * 10.0,
            "peak_memory_mib": 100.0 * seconds,
            "prompt_tokens": 5,
            "new_tokens": 7,
            "remembered_tokens": 2,
            "calls": 1,
        }
        parts = [{"update": 1, "scoring": 2.0}, {"update": 2, "scoring": 1.0, "gradient": 1.5}]
        updates = {"updates": parts} if stage.startswith("train") else {}
        faults = {"repeated": 3, "failed": 0, "halved": 1} if stage == "evaluate" else {}
        write_json(project.cost(stage), {"stage": stage, **costs, **faults, **updates})
    judged = {"value": 0.2, "low": 0.1, "high": 0.3}
    cold = {"test items, all users": {f"recipe {HOSTILE}": {"rho": judged, "auc": judged}}}
    write_json(project.stage_metrics("encoder"), {"cold": cold})
    solver = {"factor_max": 1.001, "factor_median": 1.0, "rank_median": 6.0, "support_median": 9.0, "unbounded": 0}
    anchor = {
        "certified": {"factor": 1.0, "rank": 6, "support": 9},
        "paper": {"factor": None, "rank": 5, "support": 10},
    }
    summary = {"certified": solver, "paper": {**solver, "factor_max": None}, "anchors": {"i0": anchor}}
    write_json(project.stage_metrics("design"), summary)


def _catalogue(project: Project) -> None:
    rng = np.random.default_rng(1)
    items = pd.DataFrame({"item": ITEMS, "title": [f"Title {i} {HOSTILE}" for i in ITEMS]})
    write_table(project.catalogue_files.items, items, "items")
    write_json(project.catalogue_files.source, {"source": HOSTILE, "files": {"a.csv": "00ff"}, "licence": HOSTILE})
    profiles = pd.DataFrame({"user": USERS, "short": [f"User likes {HOSTILE}."] * len(USERS)})
    write_table(project.profiles, profiles, "profiles")
    weights = pd.DataFrame(
        {"anchor": np.repeat(["i0", "i1"], 3), "action": [f"Add {HOSTILE}", "Add a war.", "Add $1 and $2."] * 2}
    )
    write_table(project.design_weights, weights.assign(weight=[0.5, 0.5, 0, 0.2, 0.3, 0.5]), "design_weights")
    latent = {
        "item_vectors": rng.normal(size=(len(ITEMS), DIMENSION)).astype(np.float32),
        "user_vectors": rng.normal(size=(len(USERS), DIMENSION)).astype(np.float32),
        "years": np.full(len(ITEMS), 1990.0),
        "train_items": np.ones(len(ITEMS), dtype=np.uint8),
        "train_users": np.zeros(len(USERS), dtype=np.uint8),
    }
    write_arrays(project.encoder / "latent.safetensors", latent, "latent", ids={"items": ITEMS, "users": USERS})


def finished_run(root: Path) -> Project:
    """Return a project whose evaluation is done and whose report is not."""
    project = Project(root)
    _evaluation(project)
    _training(project)
    _catalogue(project)
    return project
