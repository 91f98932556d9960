"""Whether the store still has what the last registration says: a store can be lost, and a champion deleted in its UI.

DVC sees files only, so the register stage leaves one beside the store, ``mlruns/registered.json``. It goes with a lost
store, and :func:`forget_lost` removes it where the store lost its version or its champion: the stage is then stale.
"""

from __future__ import annotations

from eagle.config import RegistryConfig
from eagle.core.artifacts import read_json
from eagle.core.commands import run_everything
from eagle.core.project import Project
from eagle.registry.location import database_of, resolve_uri


def forget_lost(config: RegistryConfig, project: Project) -> str | None:
    """Make the register stage stale where the store lacks what was registered; return what is missing, else None.

    EagleError where a tracking server does not answer, which is better told before anything has run.
    """
    if not project.registration.exists():
        _ask_server(config, project)
        return None
    missing = _missing(config, project)
    if missing:
        project.registered.unlink(missing_ok=True)
    return missing


def _ask_server(config: RegistryConfig, project: Project) -> None:
    uri = resolve_uri(config.tracking_uri, project.home)
    if uri.startswith("http"):
        from eagle.registry.store import open_client

        open_client(uri)


def store_line(config: RegistryConfig, project: Project) -> str:
    """Return one line where the store says other than the last registration: lost, or another champion; else ""."""
    if not project.registration.exists():
        return ""
    if missing := _missing(config, project):
        return f"the registry has lost {missing}: {run_everything(project.root)} registers the agent again"
    from eagle.registry.store import champion_version, open_client

    made = read_json(project.registration)
    now = champion_version(open_client(resolve_uri(config.tracking_uri, project.home)), made["model"])
    return "" if now == made["champion"] else f"since then the champion has been moved: it is version {now}"


def _missing(config: RegistryConfig, project: Project) -> str | None:
    uri = resolve_uri(config.tracking_uri, project.home)
    database = database_of(uri)
    if database is not None and not database.exists():
        return f"no store at {uri}"
    from mlflow.exceptions import MlflowException  # seconds to import

    from eagle.registry.store import champion_version, files_lost, open_client

    made, client = read_json(project.registration), open_client(uri)
    try:
        lost = files_lost(client, made["model"], made["version"], project)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return f"{made['model']} version {made['version']}"
    champion = champion_version(client, made["model"])
    if made["champion"] is not None and champion is None:
        return f"a champion of {made['model']}"
    if lost or (champion is not None and files_lost(client, made["model"], champion, project)):
        return f"files of {made['model']}"
    return None
