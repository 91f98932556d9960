"""A project that an earlier version of EAGLE has left: what has to be made again, in one line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from eagle.config.dependencies import name_own_files
from eagle.config.installed import renew_code
from eagle.config.leavers import remove_left
from eagle.config.root import Config
from eagle.core.project import Project
from eagle.core.repository import stages_in


def made_by_other_code(project: Project) -> list[str]:
    """Return the finished stages, as dvc.lock names them, whose code lay in other files than dvc.yaml names now."""
    lock, present = read_stages(project.dvc_lock), read_stages(project.dvc_yaml)
    return [name for name, made in lock.items() if _code(made) != _code(present.get(name.split("@")[0], {}))]


def takeover_line(project: Project) -> str:
    """Return one line where every finished stage was made by an earlier version, else nothing.

    It is said once: after the first stage that is made again, one finished stage is of the present version.
    """
    stale = made_by_other_code(project)
    if not stale or len(stale) < len(read_stages(project.dvc_lock)):
        return ""
    return (
        "This project was made by an earlier version of EAGLE, whose code lay in other files; "
        f"these stages will be made again: {', '.join(stale)}"
    )


def prepare(config: Config, project: Project) -> None:
    """Say on standard error what a user should know before a stage begins; name the user's own files in dvc.yaml, and
    the installed code in ``code/``; delete what arms that are none any more left.
    """
    if line := takeover_line(project):
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


def read_stages(path: Path) -> dict[str, Any]:
    """Return the stages of a dvc.yaml or dvc.lock; none where there is no such file, EagleError for a broken one."""
    return stages_in(path.read_text(encoding="utf-8"), path) if path.exists() else {}


def _code(stage: dict[str, Any]) -> set[str]:
    """Return the paths of code that a stage depends on."""
    deps = [dep["path"] if isinstance(dep, dict) else dep for dep in stage.get("do", stage).get("deps", [])]
    return {path for path in deps if path.startswith("eagle/")}
