"""Prefect flows: when, where and with which retries DVC brings stages up to date.

Importing this package sets what Prefect reads at import: no analytics, its home inside the project, patience with the
temporary server that it starts when none is named by PREFECT_API_URL, no block types there, which nothing here uses,
and no log of that server's own: it would answer Ctrl-C with pages of tracebacks, and what fails there fails in the flow
too.
"""

from __future__ import annotations

import os
from pathlib import Path

from eagle.core import telemetry

telemetry.switch_off()
os.environ.setdefault("PREFECT_HOME", str(Path.cwd() / ".prefect"))
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
os.environ.setdefault("PREFECT_API_BLOCKS_REGISTER_ON_START", "false")
os.environ.setdefault("PREFECT_SERVER_LOGGING_LEVEL", "CRITICAL")
