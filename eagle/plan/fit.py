"""Fit the prices to measured runs: ``python -m eagle.plan.fit FOLDER... --machine "2 cores of ..."``.

A folder is a project after a run: params.yaml, data/catalogue, reports/costs. Runs of several settings tell the terms
apart. The first one is of the machine that the prices are for; others may have been slower throughout. The error that
is stated is that on settings left out of the fit, one at a time.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from eagle.config import load_config
from eagle.core.artifacts import read_json, write_json
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.plan.forecast import parameters_of
from eagle.plan.prices import SHIPPED, TARGETS, Priced, Run, errors, fit
from eagle.plan.work import Sizes, work_of


@dataclass(frozen=True)
class Measured:
    """One measured run; those with the same work have the same ``setting``."""

    stages: Run
    setting: str


def read_run(folder: Path) -> Measured:
    """Read a project folder; EagleError where it holds no measured stage."""
    project = Project(folder)
    work = work_of(load_config(project.params), Sizes.fetched(project.catalogue))
    measured = {name: read_json(project.cost(name)) for name in work if project.cost(name).exists()}
    if not measured:
        raise user_error(f"{folder} holds no measured run", expected="reports/costs/*.json")
    stages = tuple(
        (work[name], {target: float(costs[target]) for target in TARGETS}) for name, costs in measured.items()
    )
    return Measured(stages, json.dumps({name: asdict(amounts) for name, amounts in work.items()}))


def left_out_errors(runs: Sequence[Measured]) -> dict[str, float]:
    """Return the median over runs of their errors under prices fitted to the other settings; empty where all have the
    same.
    """
    found = defaultdict(list)
    for run in runs:
        others = [other.stages for other in runs if other.setting != run.setting]
        if others:
            for name, error in errors(run.stages, fit(others)[0]).items():
                found[name].append(error)
    return {name: float(np.median(values)) for name, values in found.items()}


def fit_runs(folders: Sequence[Path], machine: str) -> Priced:
    """Return the prices fitted to all folders, with the error on settings left out."""
    runs = [read_run(folder) for folder in folders]
    prices, paces = fit([run.stages for run in runs])
    parameters = parameters_of(Project(folders[0]).llm)
    return Priced(prices, machine, [round(pace, 2) for pace in paces], parameters, left_out_errors(runs))


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, write, and say how far off the prices are."""
    parser = argparse.ArgumentParser(
        prog="python -m eagle.plan.fit", description="Fit the prices of eagle check --plan to measured runs."
    )
    parser.add_argument(
        "folders", nargs="+", type=Path, help="project folders after a run, first one of the machine itself"
    )
    parser.add_argument(
        "--machine", required=True, help="what the first run was measured on, for the reader of a forecast"
    )
    parser.add_argument("--to", type=Path, default=SHIPPED, help="where the prices go; by default into the package")
    given = parser.parse_args(arguments)
    priced = fit_runs(given.folders, given.machine)
    write_json(given.to, asdict(priced))
    print("paces: " + ", ".join(f"{pace:g}" for pace in priced.paces))
    print("off on settings left out: " + (", ".join(f"{n} {e:.0%}" for n, e in priced.error.items()) or "not checked"))


if __name__ == "__main__":
    main()
