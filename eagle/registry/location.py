"""Where the MLflow store is; MLflow itself, which takes seconds to import, is not needed to say so."""

from __future__ import annotations

from pathlib import Path

from eagle.config import RegistryConfig
from eagle.core.commands import run_everything
from eagle.core.errors import user_error
from eagle.core.project import Project

SQLITE = "sqlite:///"


def resolve_uri(uri: str, root: Path) -> str:
    """Return the store's address with a relative SQLite path resolved below the project; others as they are."""
    path = uri.removeprefix(SQLITE)
    if not uri.startswith(SQLITE) or Path(path).is_absolute():
        return uri
    return f"{SQLITE}{(root / path).resolve()}"


def live_folder(config: RegistryConfig, project: Project) -> Path:
    """Return where stages say how far they are: beside a local store, which outlives a temporary project."""
    uri = resolve_uri(config.tracking_uri, project.home)
    if not uri.startswith(SQLITE):
        return project.live_runs
    return Path(uri.removeprefix(SQLITE)).parent / project.live_runs.name


def store_with(address: str, config: RegistryConfig, project: Project) -> str:
    """Return the store that is asked for an agent; EagleError where there is none: MLflow would make its database."""
    uri = resolve_uri(config.tracking_uri, project.home)
    if uri.startswith(SQLITE) and not Path(uri.removeprefix(SQLITE)).exists():
        raise user_error(
            f"{address} is not in the registry",
            found=f"no store at {uri}",
            mend=f"run {run_everything(project.root)}: it registers what is missing",
        )
    return uri
