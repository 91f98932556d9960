"""``python -m benchmarks.constants PROJECT``: which constants of the utility do real ratings confirm?

PROJECT was evaluated with ``evaluate.split: validation``: its reports/candidates.parquet holds every text that methods
considered at equal budgets. Under each pair of constants (weight of the bias in the preference, least novelty) the
answers are chosen anew among the same candidates, and the hidden shelf and the panel judge them. Nothing of the test
split is read.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from eagle.config import Config, load_config
from eagle.core.artifacts import read_table
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.data.descriptions import plain_years
from eagle.evaluation.budgets import answers_at, pick_budget_cases
from eagle.evaluation.cases import HeldOut
from eagle.evaluation.judges.fitting import judged_by_all
from eagle.evaluation.scoring import RememberingEncoder
from eagle.evaluation.stage import bootstrap_over, open_judges
from eagle.latent.encoders import load_encoder
from eagle.latent.space import load_latent
from eagle.latent.utility import Novelty
from eagle.quality.stored import load_gates

BIAS_WEIGHTS, LEAST = (0.0, 0.3, 0.6, 1.0), (0.0, 0.85, 1.0, 1.2)


def main() -> None:
    """Print one row per pair of constants, arm and budget."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--budget", type=int, nargs="+", default=[1, 8])
    asked = parser.parse_args()
    project = Project(asked.project)
    config = load_config(project.params)
    if config.evaluate.split != "validation":
        raise user_error(
            "constants are chosen on validation items and people only",
            found=f"evaluate.split: {config.evaluate.split}",
            mend="run `dvc repro -s evaluate` with evaluate.split=validation in a copy of the project",
        )
    with pd.option_context("display.width", 160, "display.max_rows", 200):
        print(compared(config, project, asked.budget).to_string(index=False))


def compared(config: Config, project: Project, budgets: list[int]) -> pd.DataFrame:
    """Return the table of :func:`main`: means, and the interval of what the hidden shelf says."""
    held = pick_budget_cases(config, project)
    table = read_table(project.candidates, "candidates").query("comparison == 'budgets'")
    points = _points(table, held, project)
    anchors = table["case"].map(held.cases.set_index("case")["text"])
    broken = load_gates(project, config).broken(table["text"].tolist(), anchors.tolist())
    whole = ~broken & (table["text"] != anchors)  # a failed change has the anchor's text
    judges, bootstrap, rows = open_judges(config, project, held), bootstrap_over(held, config), []
    for weight, least in product(BIAS_WEIGHTS, LEAST):
        valued = table.assign(utility=points["personal"] + weight * points["bias"], order=table["draw"])
        valued = valued.assign(new=points["novelty"] >= least, whole=whole)
        for budget in budgets:
            judged = judged_by_all(judges, answers_at(valued, held.cases, budget), held.cases)
            for arm, mine in judged.groupby("arm", sort=False):
                mine = mine.sort_values("case")
                shelf = bootstrap.mean(mine["shelf_stars"].to_numpy(float))
                own = {"bias weight": weight, "least": least, "budget": budget, "arm": arm}
                means = mine[["found", "user_choice", "shelf_personal"]].mean().round(3).to_dict()
                said = {"shelf": round(shelf.mean, 4), "low": round(shelf.low, 4), "high": round(shelf.high, 4)}
                rows.append(own | means | said)
    return pd.DataFrame(rows)


def _points(table: pd.DataFrame, held: HeldOut, project: Project) -> pd.DataFrame:
    """Return the personal part and the bias of each candidate's preference, and its novelty."""
    latent = load_latent(project.encoder)
    encoder = RememberingEncoder(load_encoder(project.encoder, project.text_model))
    years = table["case"].map(held.cases.set_index("case")["year"])
    z = encoder.encode(table["text"].tolist(), plain_years(years)).astype(float)
    tastes = latent.rows_of_users(table["user"].tolist()).astype(float)
    personal = np.einsum("nd,nd->n", tastes[:, :-1], z[:, :-1])
    distinct, row = np.unique(z, axis=0, return_inverse=True)
    novelty = Novelty(latent.item_vectors, 3)(distinct)[row]
    return pd.DataFrame({"personal": personal, "bias": z[:, -1] / 0.3, "novelty": novelty}, index=table.index)


if __name__ == "__main__":
    main()
