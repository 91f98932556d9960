"""Everything that the evaluation leaves behind: the arms, their texts, the paper's tables, and metrics.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from eagle.actions.stored import read_actions
from eagle.config import Config
from eagle.core.artifacts import complete_or_absent, write_json, write_table
from eagle.core.project import Project
from eagle.data.stored import read_provenance
from eagle.domains.open import domain_of
from eagle.evaluation import tables
from eagle.evaluation.arm import Arm, write_arms
from eagle.evaluation.budget_table import COLUMNS
from eagle.evaluation.cases import HeldOut
from eagle.evaluation.comparison import ArmResult
from eagle.evaluation.conditions import elsewhere, environment_name


@dataclass(frozen=True)
class EvaluationResult:
    """What an evaluation found."""

    arms: Sequence[Arm]
    trajectories: pd.DataFrame
    """Every step of every arm, with utilities and what the judges say."""
    candidates: pd.DataFrame
    """Every text that any arm considered."""
    results: Sequence[ArmResult]
    checks: Mapping[str, Mapping[str, object]]
    """By judge: how good it is on ratings that it has not seen."""
    budgets: pd.DataFrame | None
    """Every method at equal budgets; see :mod:`eagle.evaluation.budget_table`."""


def write_evaluation(
    config: Config, project: Project, held: HeldOut, hashes: Mapping[str, str], found: EvaluationResult
) -> None:
    """Write arms.json, trajectories, candidates, tables 2 to 4, budget.csv, metrics.json and the headlines of reports/.

    ``hashes``: those of the inputs, by name.
    """
    write_arms(project, found.arms)
    write_table(project.trajectories, found.trajectories, "trajectories", inputs=[project.descriptions])
    write_table(project.candidates, found.candidates, "candidates", inputs=[project.descriptions])
    there = elsewhere(config.llm, config.evaluate)
    environments = environment_name(config.llm), environment_name(there) if there else None
    personalised = bool(read_actions(project.actions)["kind"].eq("personalized").any())
    _write_csv(tables.table2(found.results), project.table(2))
    _write_csv(tables.table3(found.results, *environments), project.table(3))
    _write_csv(tables.table4(found.results, personalised=personalised), project.table(4))
    budgets = pd.DataFrame(columns=COLUMNS) if found.budgets is None else found.budgets
    _write_csv(budgets, project.budget)
    source = read_provenance(project.catalogue_files.source)["source"]
    beside = {**found.checks, "cases": _settings(config, held), "inputs": {"source": source, **hashes}}
    write_json(project.metrics, tables.metrics(found.results, beside))
    _write_headline(tables.headline(found.results), project)


def _write_headline(figures: Mapping[str, Mapping[str, float]], project: Project) -> None:
    write_json(project.headline, figures)
    with complete_or_absent(project.headline_by_arm) as draft:
        draft.mkdir()
        for arm, own in figures.items():
            write_json(draft / f"{arm}.json", own)


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
