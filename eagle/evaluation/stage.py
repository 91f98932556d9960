"""Stage evaluate: every arm on the same held-out anchors and users; trajectories, tables and metrics.

1. Follows the paper's Table 2 in its columns and arms; anchors and users are held out, and all arms share cases and
   seeds.
2. Adds what any reader asks for: random actions, a linear rule (once, and for the same H), a softmax policy, fixed best
   actions.
3. Differs: a simulated panel in place of 124 raters (eagle.evaluation.judges.panel), itself judged on ratings it has
   not seen.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eagle.actions.stored import read_actions
from eagle.config import Config
from eagle.core.artifacts import complete_or_absent, content_hash, write_json, write_table
from eagle.core.project import Project
from eagle.data.descriptions import Descriptions
from eagle.data.stored import read_rating_split, read_ratings, read_source, read_users
from eagle.domains.table import domain_of
from eagle.engine.folders import check_model_folder
from eagle.evaluation import tables
from eagle.evaluation.arm import write_arms
from eagle.evaluation.arms import Arms
from eagle.evaluation.bootstrap import TwoWayBootstrap
from eagle.evaluation.cases import HeldOut, anchor_groups, pick_cases
from eagle.evaluation.comparison import Comparison
from eagle.evaluation.conditions import elsewhere, environment_name
from eagle.evaluation.judges.base import Judge, JudgeData
from eagle.evaluation.judges.table import fit_judges, judged_by_all
from eagle.evaluation.method_arms import candidates_table
from eagle.evaluation.scoring import RememberingEncoder, score
from eagle.latent.encoders import load_encoder


def open_judges(config: Config, project: Project, held: HeldOut) -> dict[str, Judge]:
    """Return the judges, fitted to the panel's own ratings, by name."""
    ratings = read_rating_split(project.split_files.ratings)
    described = Descriptions.load(project.descriptions)
    data = JudgeData(
        ratings[ratings["part"] == "panel"],
        {item: (text, described.years[item]) for item, text in described.texts.items()},
        held.raters,
        config.seed,
        config.evaluate.bootstrap,
        config.evaluate.confidence,
    )
    return fit_judges(config.evaluate.judges, data)


def case_groups(held: HeldOut, project: Project) -> dict[str, np.ndarray]:
    """Return labels of every case: how its anchor is rated, and what the source says about its user."""
    ratings = read_ratings(project.catalogue_files.ratings)
    kinds = anchor_groups(ratings, held.anchors)
    groups = {"anchors": np.array([kinds[anchor] for anchor in held.cases["anchor"]])}
    people = read_users(project.catalogue_files.users).set_index("user")
    for column in ("gender", "age_group"):
        if column in people:
            labels = people[column].astype("string").fillna("unknown").to_dict()
            groups[column] = np.array([str(labels.get(user, "unknown")) for user in held.cases["user"]])
    return groups


def _hashes(config: Config, project: Project) -> dict[str, str]:
    folders = {
        "catalogue": project.catalogue,
        "descriptions": project.descriptions,
        "profiles": project.profiles,
        "actions": project.actions,
        "transitions": project.transitions,
        "encoder": project.encoder,
        "environment model": project.llm,
    }
    folders |= {f"reference {name}": project.reference(name) for name in config.reference.names}
    if config.evaluate.other_model:
        folders["other environment model"] = Path(config.evaluate.other_model)
    folders |= {f"agent {arm}": project.agent(arm) for arm in config.train.arms}
    return {name: content_hash(folder) for name, folder in folders.items()}


def _settings(config: Config, held: HeldOut) -> dict[str, Any]:
    return {
        "anchors": len(held.anchors),
        "users": len(held.users),
        "count": len(held.cases),
        "raters": len(held.raters),
        "horizon": config.evaluate.horizon,
        "temperature": config.evaluate.temperature,
        "confidence": config.evaluate.confidence,
        "seed": config.seed,
        "split": config.evaluate.split,
        "noun": domain_of(config).noun,
    }


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with complete_or_absent(path) as draft:
        table.to_csv(draft, index=False)


def run(config: Config, project: Project) -> None:
    """Write reports/arms.json, metrics.json, both tables of texts, table2.csv, table3.csv and table4.csv."""
    if config.evaluate.other_model:
        check_model_folder(Path(config.evaluate.other_model), chat=True)  # before an evaluation that would end there
    held = pick_cases(config.evaluate, config.seed, project)
    hashes = _hashes(config, project)
    encoder = RememberingEncoder(load_encoder(project.encoder, project.text_model))
    arms = Arms.open(config, project, held, hashes, encoder)
    ran, utility = arms.run(), arms.material.utility
    scored = score(ran.trajectories, held.cases, encoder, utility)
    judges = open_judges(config, project, held)
    judged = judged_by_all(judges, scored, held.cases)
    settings = config.evaluate
    bootstrap = TwoWayBootstrap(
        held.cases["anchor"].tolist(), held.cases["user"].tolist(), settings.bootstrap, settings.confidence, config.seed
    )
    candidates = arms.material.candidates.shared
    columns = [column for judge in judges.values() for column in judge.columns]
    results = Comparison(
        ran.arms,
        judged,
        held.cases,
        candidates,
        case_groups(held, project),
        bootstrap,
        config.seed,
        ran.counts,
        columns,
    ).results()
    write_arms(project, ran.arms)
    write_table(project.trajectories, judged, "trajectories", inputs=[project.descriptions])
    considered = None if ran.considered is None else score(ran.considered, held.cases, encoder, utility)
    write_table(project.candidates, candidates_table(judged, considered), "candidates", inputs=[project.descriptions])
    _write_csv(tables.table2(results), project.table(2))
    there = elsewhere(config.llm, config.evaluate)
    _write_csv(
        tables.table3(results, environment_name(config.llm), environment_name(there) if there else None),
        project.table(3),
    )
    personalised = read_actions(project.actions)["kind"].eq("personalized").any()
    _write_csv(tables.table4(results, personalised=bool(personalised)), project.table(4))
    source = read_source(project.catalogue_files.source)["source"]
    checks = {name: judge.check() for name, judge in judges.items()}
    extra = {**checks, "cases": _settings(config, held), "inputs": {"source": source, **hashes}}
    write_json(project.metrics, tables.metrics(results, extra))
    arms.finish()
