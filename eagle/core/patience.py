"""How long MLflow asks a server that does not answer; MLflow itself is not needed to say so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}


@contextmanager
def soon() -> Iterator[None]:
    """Ask a server for seconds where MLflow asks for four minutes; what the user has set stays."""
    added = {name: value for name, value in _PATIENCE.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)  # another thread may have been first
