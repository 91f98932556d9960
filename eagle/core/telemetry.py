"""Turns off what the tools would send home, and every call to a model hub. Imported before any of them."""

from __future__ import annotations

import os

SETTINGS = {
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DVC_NO_ANALYTICS": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
    "DO_NOT_TRACK": "true",
    "HF_HUB_OFFLINE": "1",
}


def switch_off() -> None:
    """Set the variables; one that the user has set stays as it is."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
