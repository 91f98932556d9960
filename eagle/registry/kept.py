"""Whether the store still has what the last registration says: a store can be lost, and a champion deleted in its UI.

DVC sees files only, so the register stage leaves one beside the store, ``mlruns/registered.json``. It goes with a lost
store, and :func:`forget_lost` removes it where the store lost its version or its champion: the stage is then stale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from eagle.config import RegistryConfig
from eagle.core.commands import run_everything
from eagle.core.patience import soon
from eagle.core.project import Project
from eagle.registry.location import database_of, resolve_uri
from eagle.report.registration import Registration

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class _Seen:
    """What the store says of the last registration."""

    missing: str | None
    champion: str | None = None
    """The champion's version now."""


def forget_lost(config: RegistryConfig, project: Project) -> str | None:
    """Make the register stage stale where the store lacks what was registered; return what is missing, else None.

    EagleError where the store fails, which is better told before anything has run.
    """
    made = Registration.load(project)
    if made is None:
        _ask_server(config, project)
        return None
    missing = _look(config, project, made).missing
    if missing:
        project.registered.unlink(missing_ok=True)
    return missing


def _ask_server(config: RegistryConfig, project: Project) -> None:
    uri = resolve_uri(config.tracking_uri, project.home)
    if uri.startswith("http"):
        from eagle.registry.store import open_client

        open_client(uri)


def store_line(config: RegistryConfig, project: Project) -> str:
    """Return one line where the store says other than the last registration: lost, or another champion; else "".

    EagleError where the store fails.
    """
    made = Registration.load(project)
    if made is None:
        return ""
    seen = _look(config, project, made)
    if seen.missing:
        return f"the registry has lost {seen.missing}: {run_everything(project.root)} registers the agent again"
    if seen.champion == made.champion:
        return ""
    return f"since then the champion has been moved: it is version {seen.champion}"


def _look(config: RegistryConfig, project: Project, made: Registration) -> _Seen:
    uri = resolve_uri(config.tracking_uri, project.home)
    database = database_of(uri)
    if database is not None and not database.exists():
        return _Seen(f"its store at {uri}")
    from eagle.registry.answers import failures_told  # which imports MLflow, for seconds
    from eagle.registry.store import open_client

    with failures_told(), soon():
        return _ask(open_client(uri), project, made)


def _ask(client: MlflowClient, project: Project, made: Registration) -> _Seen:
    from mlflow.exceptions import MlflowException

    from eagle.registry.store import champion_version, files_lost

    model = made.model
    try:
        lost = files_lost(client, model, made.version, project)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return _Seen(f"{model} version {made.version}")
    champion = champion_version(client, model)
    if made.champion is not None and champion is None:
        return _Seen(f"a champion of {model}")
    if lost or (champion is not None and files_lost(client, model, champion, project)):
        return _Seen(f"files of {model}")
    return _Seen(None, champion)
