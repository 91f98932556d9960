"""A project that an earlier version of EAGLE has left: what has to be made again, in one line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

from eagle.config.dependencies import name_own_files
from eagle.config.installed import renew_code
from eagle.config.leavers import remove_left
from eagle.config.root import Config
from eagle.core.project import Project
from eagle.core.repository import LockedStage, read_stages


def made_by_other_code(project: Project, locked: Mapping[str, LockedStage]) -> list[str]:
    """Return the finished stages, ``locked`` in dvc.lock, whose code lay in other files than dvc.yaml names now."""
    present = {
        name: _code(stage.get("do", stage).get("deps", [])) for name, stage in read_stages(project.dvc_yaml).items()
    }
    made = {name: _code(dep["path"] for dep in stage.get("deps", [])) for name, stage in locked.items()}
    return [name for name, code in made.items() if code != present.get(name.split("@")[0], set())]


def takeover_line(project: Project, locked: Mapping[str, LockedStage]) -> str:
    """Return one line where every finished stage, ``locked`` in dvc.lock, is of an earlier version, else nothing.

    It is said once: after the first stage that is made again, one finished stage is of the present version.
    """
    stale = made_by_other_code(project, locked)
    if not stale or len(stale) < len(locked):
        return ""
    return (
        "This project was made by an earlier version of EAGLE, whose code lay in other files; "
        f"these stages will be made again: {', '.join(stale)}"
    )


def prepare(config: Config, project: Project, locked: Mapping[str, LockedStage]) -> None:
    """Say on standard error what a user should know before a stage begins; name the user's own files in dvc.yaml, and
    the installed code in ``code/``; delete what arms that are none any more left.

    ``locked``: the stages in dvc.lock.
    """
    if line := takeover_line(project, locked):
        print(line, file=sys.stderr, flush=True)
    if name_what_stages_read(config, project):
        print("dvc.yaml names your files now, so that DVC sees when they change", file=sys.stderr, flush=True)
    if left := remove_left(config, project):
        told = ", ".join(map(str, left))
        print(f"deleted what arms that params.yaml no longer names had left: {told}", file=sys.stderr, flush=True)


def name_what_stages_read(config: Config, project: Project) -> bool:
    """Have DVC see the installed code and the user's own files as they are now; say whether dvc.yaml changed."""
    renew_code(project.root)
    return name_own_files(config, project)


def _code(deps: Iterable[str]) -> set[str]:
    """Return the paths of code among what a stage depends on."""
    return {path for path in deps if path.startswith("eagle/")}
