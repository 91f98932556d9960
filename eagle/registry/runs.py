"""One parent run for the pipeline, one child run for each stage and for each arm of the comparison."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from eagle.config import Config
from eagle.core.artifacts import read_json
from eagle.core.project import Project
from eagle.data.stored import read_source
from eagle.evaluation.arm import Arm, belongs_to, load_arms
from eagle.evaluation.stored import read_comparison, read_metrics, read_trajectories
from eagle.registry.provenance import commit, data_versions, user
from eagle.registry.run_log import RunLog
from eagle.registry.store import Store
from eagle.report.summary import markdown
from eagle.training.curves import read_curve

PARAMETERS = {"eagle": "train", "reference": "reference"}
"""Section of the parameters that made an arm, by its kind."""


DATA = ("data/catalogue", "data/splits", "data/descriptions.parquet", "data/transitions.parquet", "models/encoder")
"""What DVC versions and a run is told apart by; artifact dvc.lock has the hashes of everything."""


@dataclass(frozen=True)
class PipelineRuns:
    """Ids of the MLflow runs of one run of the pipeline."""

    parent: str
    of_arm: dict[str, str]
    """By name of the arm."""


def log_pipeline(config: Config, project: Project, store: Store) -> PipelineRuns:
    """Log everything that the stages left behind."""
    metrics, trajectories = read_metrics(project.metrics), read_trajectories(project.trajectories)
    arms = load_arms(project)
    names = {arm.name for arm in arms}
    source = read_source(project.catalogue_files.source)["source"]
    tags = {
        "eagle.kind": "pipeline",
        "mlflow.source.name": "dvc repro",
        "mlflow.source.type": "PROJECT",
        "mlflow.source.git.commit": commit(project),
        "mlflow.user": user(),
        "mlflow.note.content": markdown(project),
    }
    with RunLog(store, f"{source}, seed {config.seed}, {datetime.now():%Y-%m-%d %H:%M}", tags) as parent:
        parent.params(config.model_dump(mode="json"))
        versions = data_versions(project)
        parent.inputs({path: versions[path] for path in DATA if path in versions}, "training and evaluation")
        parent.metrics({name: value for name, value in metrics.items() if name not in names})
        parent.metrics({"headline": read_json(project.headline)})  # what a list of runs is sorted by
        tables = sorted(project.reports.glob("table*.csv"))
        left = [project.report, project.metrics, project.total_costs, project.trajectories, project.budget]
        parent.files([*left, *tables, project.dvc_lock])
        children = Children(config, project, store, parent.run_id, read_comparison(project.budget))
        for path in sorted(project.costs.glob("*.json")):
            if belongs_to(path.stem, arms):  # an arm of an earlier run may have left its costs
                children.stage(path.stem)
        of_arm = {
            arm.name: children.arm(arm, metrics.get(arm.name, {}), trajectories[trajectories["arm"] == arm.name])
            for arm in arms
        }
    return PipelineRuns(parent.run_id, of_arm)


@dataclass(frozen=True)
class Children:
    """Writes the child runs of one parent run."""

    config: Config
    project: Project
    store: Store
    parent: str
    budgets: pd.DataFrame
    """reports/budget.csv."""

    def stage(self, name: str) -> None:
        """Log what a stage cost and measured."""
        measured = self.project.stage_metrics(name)
        with RunLog(self.store, f"stage {name}", {"eagle.kind": "stage", "eagle.stage": name}, self.parent) as run:
            costs = {key: value for key, value in read_json(self.project.cost(name)).items() if key != "stage"}
            run.metrics({"cost": costs})
            if measured.exists():
                run.metrics(read_json(measured))
                run.files([measured])

    def arm(self, arm: Arm, metrics: Mapping[str, Any], trajectories: pd.DataFrame) -> str:
        """Log an arm's figures, texts and learning curve; return the run's id. ``trajectories`` are its own rows."""
        with RunLog(self.store, f"arm {arm.name}", {"eagle.kind": "arm", "eagle.arm": arm.name}, self.parent) as run:
            run.metrics(metrics)
            section = PARAMETERS.get(arm.kind)
            if section:
                made_by = getattr(self.config, section).model_dump(mode="json")
                run.params({"seed": self.config.seed, section: made_by})
            with tempfile.TemporaryDirectory() as folder:
                texts = Path(folder) / "texts.csv"
                trajectories.drop(columns="z", errors="ignore").to_csv(texts, index=False)
                run.files([texts], "texts")
            if arm.is_main:
                run.files([self.project.training_samples(str(arm.start))], "texts")
            run.at_budgets(self.budgets[self.budgets["arm"] == arm.name])
            if arm.curve:
                self._curve(run, self.project.curve(arm.curve))
        return run.run_id

    def _curve(self, run: RunLog, curve: Path) -> None:
        if not curve.exists():
            return
        run.curve(curve)
        with tempfile.TemporaryDirectory() as folder:
            run.files([curve, draw_curve(curve, Path(folder) / f"{curve.stem}.png")], "curves")


def draw_curve(path: Path, target: Path) -> Path:
    """Draw every numeric column of a curve over its updates, as small panels in one PNG."""
    from matplotlib.figure import Figure

    table = read_curve(path)
    columns = [c for c in table.select_dtypes("number").columns if c != "update"]
    across = 4
    down = max(1, -(-len(columns) // across))
    figure = Figure(
        figsize=(3.2 * across, 2.2 * down)
    )  # with fixed margins: matplotlib's own layout draws everything twice
    margin = 0.3 / (2.2 * down)
    figure.subplots_adjust(left=0.04, right=0.99, bottom=margin, top=1 - margin, wspace=0.25, hspace=0.4)
    for index, column in enumerate(columns):
        axes = figure.add_subplot(down, across, index + 1)
        shown = table[["update", column]].dropna()
        axes.plot(shown["update"], shown[column], linewidth=1.2)
        axes.set_title(column, fontsize=8)
        axes.tick_params(labelsize=7)
    figure.savefig(target, dpi=110)
    return target
