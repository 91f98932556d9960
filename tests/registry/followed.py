"""Stands in for a pipeline that is followed: a process that only waits for the ``dvc``, and real stages below it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Run

from eagle.config import RegistryConfig
from eagle.core.parent import PIPELINE, identity
from eagle.core.project import Project
from eagle.registry.location import live_folder
from eagle.registry.store import Store

ROOT = Path(__file__).parents[2]
STAGE = """
import atexit, os, shutil, sys, time
from pathlib import Path
from eagle.config import RegistryConfig
from eagle.core import live
from eagle.core.artifacts import write_json
from eagle.core.project import Project
from eagle.registry.live.stages import followed

stage = sys.argv[1]
with followed(stage, RegistryConfig(tracking_uri=sys.argv[3]), Project()):
    for step in (1, 2, 3):
        live.figures(step, {"loss": 1 / step, "phase": "all_action"})
    {body}
"""
BODIES = {
    "returns": "pass",
    # Its files are gone when it ends, as when DVC moves them into its cache.
    "measures": "write_json(Project().stage_metrics(stage), {'auc': 0.75}); atexit.register(shutil.rmtree, 'reports')",
    "torn": "open(os.environ['EAGLE_JOURNAL'], 'a').write('{\"event\": \"figu'); live.figures(4, {'later': 1.0})",
    "waits": "time.sleep(120)",
    "fails": "raise ValueError('no such film')",
}
SYSTEM = "system/cpu_utilization_percentage"
"""One of the figures by which MLflow says how busy the machine is."""


def measure_load_at_once(patch: pytest.MonkeyPatch) -> None:
    """Let MLflow measure the machine's load ten times a second, and not every half a minute."""
    patch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.1")
    patch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING", "1")


class Pipeline:
    """A stand-in for DVC, its stages, and what MLflow says of them."""

    def __init__(self, project: Project, store: Store, config: RegistryConfig | None = None) -> None:
        self.project, self.store, self._config = project, store, config or RegistryConfig()
        self._dvc = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        self.name = identity(self._dvc.pid) or ""
        self.folder = live_folder(self._config, project) / self.name

    def begin(self, stage: str, body: str, uri: str | None = None) -> subprocess.Popen[str]:
        uri = uri or self._config.tracking_uri
        surroundings = {**os.environ, PIPELINE: self.name, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", STAGE.replace("{body}", BODIES[body]), stage, body, uri]
        return subprocess.Popen(
            command, cwd=self.project.root, env=surroundings, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def run(self, stage: str, body: str = "returns", uri: str | None = None) -> str:
        """Run a stage to its end; return what it said on standard error."""
        with self.begin(stage, body, uri) as process:
            return process.communicate()[1]

    def end(self) -> None:
        """End the stand-in, and wait until the tracker has ended too."""
        self._dvc.communicate()
        until(lambda: not trackers(self.folder))

    def runs(self, kind: str) -> list[Run]:
        found = self.store.client.search_runs([self.store.experiment_id], f"tags.`eagle.kind` = '{kind}'")
        return sorted(found, key=lambda run: run.info.start_time)

    def status(self, kind: str) -> list[str]:
        return [run.info.status for run in self.runs(kind)]


def until(true: Callable[[], Any], seconds: float = 600) -> Any:
    """Wait until something holds, and return it."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.3)  # a question of the store takes the processor from the tracker that is waited for
    return found


def trackers(folder: Path) -> list[int]:
    """The processes of trackers that follow a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if "eagle.registry.live.tracker" in told and str(folder.resolve()) in told and identity(int(entry.name)):
            found.append(int(entry.name))
    return found
