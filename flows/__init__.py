"""Prefect flows: when, where and with which retries DVC brings stages up to date.

Importing this package sets what Prefect reads at import: no analytics, its home inside the project, patience with the temporary
server that it starts when none is named by PREFECT_API_URL.
"""

from __future__ import annotations

import os
from pathlib import Path

from eagle import telemetry

telemetry.switch_off()
os.environ.setdefault("PREFECT_HOME", str(Path.cwd() / ".prefect"))
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
