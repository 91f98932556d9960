"""One parent run for the pipeline, one child run for each stage and for each arm of the comparison."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from eagle.config import Config
from eagle.core.project import Project
from eagle.evaluation.arm import Arm, belongs_to, load_arms
from eagle.evaluation.stored import read_comparison, read_headline, read_metrics, read_trajectories
from eagle.registry.live.state import REGISTER, PipelineState
from eagle.registry.measured import Measured
from eagle.registry.naming import origin, run_name
from eagle.registry.provenance import data_versions
from eagle.registry.run_log import RunLog
from eagle.registry.stage_log import STAGE, log_curve, log_stage, stage_tags
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


def log_pipeline(
    config: Config,
    project: Project,
    store: Store,
    followed: PipelineState | None = None,
    figures: Mapping[str, float] | None = None,
) -> PipelineRuns:
    """Log everything that the stages left behind, to the run that was begun with the first of them where there is one.

    A stage that did not run this time gets a run too, with what its last run left. ``figures`` are those of the agent
    that is registered, as it is used.
    """
    metrics, trajectories = read_metrics(project.metrics), read_trajectories(project.trajectories)
    arms = load_arms(project)
    names = {arm.name for arm in arms}
    tags = {"eagle.kind": "pipeline", **origin(project), "mlflow.note.content": markdown(project)}
    with _parent(config, project, store, tags, followed) as parent:
        versions = data_versions(project)
        parent.inputs({path: versions[path] for path in DATA if path in versions}, "training and evaluation")
        hidden = {arm.name: metrics.get(arm.name, {}).get("shelf_stars") for arm in arms}
        parent.metrics({**(figures or {}), "headline": read_headline(project.headline)})  # what a list is sorted by
        parent.metrics({"hidden_stars": hidden})
        parent.metrics({name: value for name, value in metrics.items() if name not in {*names, "cases"}})
        tables = sorted(project.reports.glob("table*.csv"))
        left = [project.report, project.metrics, project.total_costs, project.trajectories, project.budget]
        parent.files([*left, *tables, project.dvc_lock])
        children = Children(config, project, store, parent.run_id, read_comparison(project.budget))
        for stage in _not_followed(project, arms, followed):
            children.stage(stage)
        of_arm = {
            arm.name: children.arm(arm, metrics.get(arm.name, {}), trajectories[trajectories["arm"] == arm.name])
            for arm in arms
        }
    return PipelineRuns(parent.run_id, of_arm)


def _parent(
    config: Config, project: Project, store: Store, tags: Mapping[str, str], followed: PipelineState | None
) -> RunLog:
    """Return the pipeline's run: the one that there is, or else a new one."""
    if followed is not None:
        log = RunLog(store, followed.run)
        log.tags(tags)
        return log
    log = RunLog.begin(store, run_name(config, project, time.time()), tags)
    log.params(config.model_dump(mode="json"))
    return log


def _not_followed(project: Project, arms: Sequence[Arm], followed: PipelineState | None) -> list[str]:
    """Return the stages that have left their costs and that no follower has written."""
    seen = {REGISTER, *(followed.finished() if followed else ())}
    left = sorted(path.stem for path in project.costs.glob("*.json"))
    return [stage for stage in left if stage not in seen and belongs_to(stage, arms)]  # an earlier run had other arms


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
        """Log what a stage cost and measured when it ran, which was in an earlier run of the pipeline."""
        tags = {**stage_tags(name), "eagle.reused": "yes"}
        with RunLog.begin(self.store, STAGE.format(name), tags, self.parent) as run:
            log_stage(run, name, Measured.read(self.project, name))
            log_curve(run, self.project, name)

    def arm(self, arm: Arm, metrics: Mapping[str, Any], trajectories: pd.DataFrame) -> str:
        """Log an arm's figures, texts and learning curve; return the run's id. ``trajectories`` are its own rows."""
        tags = {"eagle.kind": "arm", "eagle.arm": arm.name}
        with RunLog.begin(self.store, f"arm {arm.name}", tags, self.parent) as run:
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
