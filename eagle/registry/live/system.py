"""How busy the machine is while a pipeline runs, as MLflow's own monitor measures it, on the parent run."""

from __future__ import annotations

import os
from importlib.util import find_spec

from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

from eagle.registry.live.following import Follower

_SWITCH = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"
_SECONDS, _SAMPLES = 10, 3  # a point in 30 seconds: 1,440 in 12 hours


class SystemMetrics:
    """MLflow's monitor; none where psutil is not installed, or where MLflow's own variable says false."""

    def __init__(self) -> None:
        self._monitor: SystemMetricsMonitor | None = None

    def start(self, follower: Follower) -> None:
        """Begin, unless it has begun."""
        wanted = os.environ.get(_SWITCH, "true").lower() != "false" and find_spec("psutil") is not None
        if self._monitor is None and wanted:
            self._monitor = SystemMetricsMonitor(follower.run, _SECONDS, _SAMPLES, True, tracking_uri=follower.uri)
            self._monitor.start()

    def stop(self) -> None:
        """End, and write what was measured so far."""
        if self._monitor is not None:
            self._monitor.finish()
