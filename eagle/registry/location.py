"""Where the MLflow store is; MLflow itself, which takes seconds to import, is not needed to say so."""

from __future__ import annotations

from pathlib import Path

from eagle.config import RegistryConfig
from eagle.core.commands import run_everything
from eagle.core.errors import user_error
from eagle.core.project import Project

SQLITE = "sqlite:///"


def resolve_uri(uri: str, root: Path) -> str:
    """Return the store's address with a relative SQLite path resolved below the project; others as they are.

    Raises EagleError where the project's own path has a "?", at which such an address ends.
    """
    database = database_of(uri)
    if database is None or database.is_absolute():
        return uri
    if "?" in str(root.resolve()):
        raise user_error(
            "the MLflow store cannot lie below a folder with ? in its name",
            found=root.resolve(),
            mend="rename the folder, or write another place into registry.tracking_uri: sqlite:////folder/mlflow.db",
        )
    return f"{SQLITE}{(root / database).resolve()}"


def database_of(uri: str) -> Path | None:
    """Return the file of a local store; None where a server has it."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def live_folder(config: RegistryConfig, project: Project) -> Path:
    """Return where stages say how far they are: beside a local store, which outlives a temporary project."""
    database = database_of(resolve_uri(config.tracking_uri, project.home))
    return project.live_runs if database is None else database.parent / project.live_runs.name


def store_with(address: str, config: RegistryConfig, project: Project) -> str:
    """Return the store that is asked for an agent; EagleError where there is none: MLflow would make its database."""
    uri = resolve_uri(config.tracking_uri, project.home)
    database = database_of(uri)
    if database is not None and not database.exists():
        raise user_error(
            f"{address} is not in the registry",
            found=f"no store at {uri}",
            mend=f"run {run_everything(project.root)}: it registers what is missing",
        )
    return uri
