"""One MLflow run as it is written: parameters, metrics, curves, files."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

from eagle.registry.store import Store
from eagle.training.curves import read_curve

_METRICS, _PARAMS = 500, 100  # in one call; MLflow takes at most 1,000 metrics and 100 parameters
_LONGEST = 6000  # characters of a parameter's value, MLflow's limit
_DIGEST = 36  # characters of a data set's digest, MLflow's limit


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


def milliseconds(seconds: float) -> int:
    """Return a time as MLflow writes it."""
    return int(seconds * 1000)


class RunLog:
    """Writes one run that there is; used as a context manager after :meth:`begin`, it ends it as FINISHED or FAILED."""

    def __init__(self, store: Store, run_id: str, *, ends: bool = False) -> None:
        self.client, self.run_id, self._ends = store.client, run_id, ends

    @classmethod
    def begin(
        cls, store: Store, name: str, tags: Mapping[str, str], parent: str | None = None, began: float | None = None
    ) -> RunLog:
        """Begin a run, now or at a time in seconds since 1970, as a child of ``parent`` where there is one."""
        related = {**tags, **({"mlflow.parentRunId": parent} if parent else {})}
        start = None if began is None else milliseconds(began)
        run = store.client.create_run(store.experiment_id, start, related, name)
        return cls(store, run.info.run_id, ends=True)

    def __enter__(self) -> RunLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._ends:
            self.end("FAILED" if kind else "FINISHED")

    def end(self, status: str, at: float | None = None) -> None:
        """End the run, now or at a time in seconds since 1970."""
        self.client.set_terminated(self.run_id, status, None if at is None else milliseconds(at))

    def tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        self.client.log_batch(self.run_id, tags=[RunTag(key, value) for key, value in tags.items()])

    def params(self, values: Mapping[str, Any]) -> None:
        """Log nested parameters under dotted names."""
        entries = [Param(name, str(value)[:_LONGEST]) for name, value in flatten(values).items()]
        for start in range(0, len(entries), _PARAMS):
            self.client.log_batch(self.run_id, params=entries[start : start + _PARAMS])

    def metrics(self, values: Mapping[str, Any]) -> None:
        """Log the finite numbers of a nested mapping."""
        self._metrics([(name, value, 0) for name, value in numbers(values).items()])

    def curve(self, path: Path) -> None:
        """Log every numeric column of a curve, the update as the step."""
        table = read_curve(path)
        columns = [c for c in table.select_dtypes("number").columns if c != "update"]
        rows = table[["update", *columns]].to_dict("records")
        self._metrics([(c, float(r[c]), int(r["update"])) for r in rows for c in columns if np.isfinite(r[c])])

    def at_budgets(self, table: pd.DataFrame) -> None:
        """Log the means of one arm's rows of reports/budget.csv as curves, the budget as the step."""
        rows = table[np.isfinite(table["mean"].astype(float))].to_dict("records")  # without rows, a column has no type
        self._metrics([(f"at_budget.{r['metric']}", float(r["mean"]), int(r["budget"])) for r in rows])

    def figures(self, told: Iterable[tuple[float, int, Mapping[str, Any]]]) -> None:
        """Log figures, each with the time at which they were told and their step."""
        self._log([Metric(n, v, milliseconds(at), step) for at, step, all_ in told for n, v in numbers(all_).items()])

    def _metrics(self, entries: list[tuple[str, float, int]]) -> None:
        now = milliseconds(time.time())
        self._log([Metric(name, value, now, step) for name, value, step in entries])

    def _log(self, batch: list[Metric]) -> None:
        for start in range(0, len(batch), _METRICS):
            self.client.log_batch(self.run_id, metrics=batch[start : start + _METRICS])

    def inputs(self, versions: Mapping[str, str], used_for: str) -> None:
        """Log versioned files as the run's data sets: path -> hash; ``used_for`` is shown beside them."""
        tags = [InputTag("mlflow.data.context", used_for)]
        found = [
            DatasetInput(Dataset(path, digest[:_DIGEST], "dvc", json.dumps({"path": path, "md5": digest})), tags)
            for path, digest in versions.items()
        ]
        self.client.log_inputs(self.run_id, datasets=found)

    def document(self, values: Mapping[str, Any], name: str) -> None:
        """Store values as a JSON file."""
        self.client.log_dict(self.run_id, dict(values), name)

    def files(self, paths: Iterable[Path], folder: str | None = None) -> None:
        """Store files and folders that are there; ``folder`` is where in the run's artifacts."""
        for path in paths:
            if path.is_dir():
                self.client.log_artifacts(self.run_id, str(path), folder or path.name)
            elif path.exists():
                self.client.log_artifact(self.run_id, str(path), folder)
