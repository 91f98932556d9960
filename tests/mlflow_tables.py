"""MLflow's empty tables, made once for each process of tests: a new store runs all of MLflow's migrations."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from eagle.config import RegistryConfig
from eagle.core.project import Project
from eagle.registry.location import database_of, resolve_uri


def lay_tables(project: Project) -> None:
    """Give the project the local store that its first use would make, without an experiment of ours."""
    database = database_of(resolve_uri(RegistryConfig().tracking_uri, project.home))
    assert database is not None
    database.parent.mkdir(parents=True, exist_ok=True)
    database.write_bytes(_tables())


@cache
def _tables() -> bytes:
    """Return the file of a new store."""
    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory(prefix="eagle-store-") as folder:
        database = Path(folder) / "mlflow.db"
        MlflowClient(f"sqlite:///{database}").search_experiments(max_results=1)
        with closing(sqlite3.connect(database)) as made:
            return made.serialize()
