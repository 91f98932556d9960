"""``python -m benchmarks.seeds PROJECT ...``: the comparison at equal budgets over several training seeds.

Each PROJECT is evaluated on the same cases (same seed of the cases, same catalogue) with an agent of its own training
seed. Figures of a case are averaged over the seeds before they are compared and resampled over anchors and users: the
interval covers the choice of cases, and the seeds are its mean.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from eagle.config import Config, load_config
from eagle.core.artifacts import read_table
from eagle.core.project import Project
from eagle.evaluation.budget_table import BudgetTable
from eagle.evaluation.budgets import BudgetRun
from eagle.evaluation.cases import HeldOut, pick_cases
from eagle.evaluation.scoring import RememberingEncoder, in_stars
from eagle.evaluation.stage import bootstrap_over, judged_answers, judged_figures, open_judges
from eagle.latent.encoders import load_encoder
from eagle.latent.space import load_latent
from eagle.latent.text_utility import TextUtility
from eagle.latent.utilities import fit_utility
from eagle.quality.stored import load_gates


def main() -> None:
    """Print the table, or write it to --out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("projects", type=Path, nargs="+")
    parser.add_argument("--seed", type=int, default=7, help="of the cases")
    parser.add_argument("--anchors", type=int, default=10)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    table = compared([Project(path) for path in asked.projects], asked.seed, asked.anchors)
    if asked.out:
        table.to_csv(asked.out, index=False)
    with pd.option_context("display.width", 160, "display.max_rows", 999):
        print(table.to_string(index=False))


def compared(projects: Sequence[Project], seed: int, anchors: int) -> pd.DataFrame:
    """Return rows as in reports/budget.csv, of cases whose figures are averaged over ``projects``."""
    judged = []
    for project in projects:
        config = load_config(project.params).model_copy(update={"seed": seed})
        held = _held(config, project, anchors)
        answers, starts, columns = answers_of(config, project, held)
        judged.append(answers)
    kept = [name for name in answers.select_dtypes(["number", "bool"]) if name not in ("case", "budget", "step")]
    together = pd.concat(judged).astype(dict.fromkeys(kept, float))
    mean = together.groupby(["arm", "budget", "case"], sort=False)[kept].mean().reset_index()
    return BudgetTable(bootstrap_over(held, config), columns).of(mean, starts)


def _held(config: Config, project: Project, anchors: int) -> HeldOut:
    everybody = config.evaluate.model_copy(update={"users": 10**6, "anchors": anchors})
    return pick_cases(everybody, config.seed, project)


def answers_of(config: Config, project: Project, held: HeldOut) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return the answers at all budgets with what everybody says of them, the anchors' own figures, the columns."""
    table = read_table(project.candidates, "candidates").query("comparison == 'budgets'")
    table = table.assign(order=table["draw"], new=table["eligible"], whole=True)
    gates, encoder = load_gates(project, config), RememberingEncoder(load_encoder(project.encoder, project.text_model))
    utility = TextUtility(encoder, fit_utility(load_latent(project.encoder), config.utility), gates.broken)
    judges = open_judges(config, project, held)
    answers = judged_answers(BudgetRun(held, table, int(table["order"].max()) + 1), gates, utility, judges)
    return answers, in_stars(held.cases, held.cases, encoder, utility.utility), judged_figures(judges)


if __name__ == "__main__":
    main()
