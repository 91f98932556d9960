"""One parent run for the pipeline, one child run for each stage and for each arm of the comparison."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from mlflow.entities import Metric, Param, RunTag

from eagle.config import Config
from eagle.core.artifacts import read_json
from eagle.core.project import Project
from eagle.evaluation.arm import Arm, load_arms
from eagle.evaluation.stored import read_metrics, read_trajectories
from eagle.registry.store import Store
from eagle.training.curves import read_curve

_BATCH = 500  # MLflow takes at most 1,000 metrics in one call, and 100 parameters
_PARAMS = 100


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as dotted keys; other values stay as they are."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            flat |= flatten(value, name)
        else:
            flat[name] = value
    return flat


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Return the finite numbers of a nested mapping under names that MLflow takes."""
    found = {}
    for name, value in flatten(values).items():
        if isinstance(value, int | float | np.number) and np.isfinite(float(value)):
            found[re.sub(r"[^\w\-. /]", "_", name)] = float(value)
    return found


def data_versions(project: Project) -> dict[str, str]:
    """Return output -> hash as dvc.lock has them; empty where the pipeline runs without DVC."""
    path = project.dvc_lock
    if not path.exists():
        return {}
    stages = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("stages", {})
    return {out["path"]: str(out.get("md5", "")) for stage in stages.values() for out in stage.get("outs", [])}


def commit(project: Project) -> str:
    """Return the commit of the project's folder, with ``+changes`` where files differ from it; "" outside of git."""

    def git(*arguments: str) -> str:
        found = subprocess.run(["git", *arguments], cwd=project.root, capture_output=True, text=True, check=False)
        return found.stdout.strip() if found.returncode == 0 else ""

    head = git("rev-parse", "HEAD")
    return f"{head}+changes" if head and git("status", "--porcelain", "--untracked-files=no") else head


class RunLog:
    """Writes one run; used as a context manager, it ends the run as FINISHED or FAILED."""

    def __init__(self, store: Store, name: str, tags: Mapping[str, str], parent: str | None = None) -> None:
        self.client = store.client
        relation = {"mlflow.parentRunId": parent} if parent else {}
        run = self.client.create_run(store.experiment_id, tags={**tags, **relation}, run_name=name)
        self.run_id: str = run.info.run_id

    def __enter__(self) -> RunLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.client.set_terminated(self.run_id, "FAILED" if kind else "FINISHED")

    def params(self, values: Mapping[str, Any]) -> None:
        entries = [Param(name, str(value)[:6000]) for name, value in flatten(values).items()]
        for start in range(0, len(entries), _PARAMS):
            self.client.log_batch(self.run_id, params=entries[start : start + _PARAMS])

    def metrics(self, values: Mapping[str, Any]) -> None:
        self._metrics([(name, value, 0) for name, value in numbers(values).items()])

    def curve(self, path: Path) -> None:
        """Log every numeric column of a curve, the update as the step."""
        table = read_curve(path)
        columns = [c for c in table.select_dtypes("number").columns if c != "update"]
        rows = table[["update", *columns]].to_dict("records")
        self._metrics([(c, float(r[c]), int(r["update"])) for r in rows for c in columns if np.isfinite(r[c])])

    def _metrics(self, entries: list[tuple[str, float, int]]) -> None:
        now = int(time.time() * 1000)
        batch = [Metric(name, value, now, step) for name, value, step in entries]
        for start in range(0, len(batch), _BATCH):
            self.client.log_batch(self.run_id, metrics=batch[start : start + _BATCH])

    def tags(self, values: Mapping[str, str]) -> None:
        self.client.log_batch(self.run_id, tags=[RunTag(name, value) for name, value in values.items()])

    def files(self, paths: Iterable[Path], folder: str | None = None) -> None:
        for path in paths:
            if path.is_dir():
                self.client.log_artifacts(self.run_id, str(path), folder or path.name)
            elif path.exists():
                self.client.log_artifact(self.run_id, str(path), folder)


def log_pipeline(config: Config, project: Project, store: Store) -> tuple[str, dict[str, str]]:
    """Log everything that the stages left behind; return the parent run's id and the child run of every arm."""
    tags = {"mlflow.source.git.commit": commit(project), "eagle.kind": "pipeline"}
    tags |= {f"dvc.{path}": digest for path, digest in data_versions(project).items()}
    with RunLog(store, "pipeline", tags) as parent:
        parent.params(config.model_dump(mode="json"))
        metrics = read_metrics(project.metrics)
        trajectories = read_trajectories(project.trajectories)
        arms = load_arms(project)
        names = {arm.name for arm in arms}
        parent.metrics({name: value for name, value in metrics.items() if name not in names})
        parent.files(
            [
                project.report,
                project.metrics,
                project.total_costs,
                project.trajectories,
                *sorted(project.reports.glob("table*.csv")),
            ]
        )
        for path in sorted(project.costs.glob("*.json")):
            _log_stage(path.stem, project, store, parent.run_id)
        children = {
            arm.name: _log_arm(
                arm,
                metrics.get(arm.name, {}),
                trajectories[trajectories["arm"] == arm.name],
                config,
                project,
                store,
                parent.run_id,
            )
            for arm in arms
        }
    return parent.run_id, children


def _log_stage(name: str, project: Project, store: Store, parent: str) -> None:
    with RunLog(store, f"stage {name}", {"eagle.kind": "stage", "eagle.stage": name}, parent) as run:
        costs = {key: value for key, value in read_json(project.cost(name)).items() if key != "stage"}
        run.metrics({"cost": costs})
        if project.stage_metrics(name).exists():
            run.metrics(read_json(project.stage_metrics(name)))
            run.files([project.stage_metrics(name)])


PARAMETERS = {"eagle": "train", "reference": "reference"}
"""Section of the parameters that made an arm, by its kind."""


def _log_arm(
    arm: Arm,
    metrics: Mapping[str, Any],
    rows: pd.DataFrame,
    config: Config,
    project: Project,
    store: Store,
    parent: str,
) -> str:
    with RunLog(store, f"arm {arm.name}", {"eagle.kind": "arm", "eagle.arm": arm.name}, parent) as run:
        run.metrics(metrics)
        section = PARAMETERS.get(arm.kind)
        if section:
            run.params({"seed": config.seed, section: getattr(config, section).model_dump(mode="json")})
        curve = project.curve(arm.curve) if arm.curve else None
        with tempfile.TemporaryDirectory() as folder:
            texts = Path(folder) / "texts.csv"
            rows.drop(columns="z", errors="ignore").to_csv(texts, index=False)
            run.files([texts], "texts")
            if curve and curve.exists():
                run.curve(curve)
                run.files([curve, draw_curve(curve, Path(folder) / f"{curve.stem}.png")], "curves")
        if arm.is_main:
            run.files([project.training_samples(str(arm.start))], "texts")
    return run.run_id


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
