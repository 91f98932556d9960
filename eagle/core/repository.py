"""What DVC needs around a project: a Git repository, its own folder, and files that no merge has left half done."""

from __future__ import annotations

import configparser
import subprocess
from pathlib import Path
from typing import Any, TypedDict

import yaml

from eagle.core.errors import EagleError, Problem

TRACKED = ("dvc.lock", "dvc.yaml", "params.yaml")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where it is there: every stage reads the lock file as it starts [M: .04 s for 4,088 lines, not .29]."""
_MENDS = {
    "dvc.lock": "`git checkout --ours dvc.lock` takes one side whole; `dvc repro` then makes what is stale",
}


class LockedFile(TypedDict, total=False):
    """A file or folder, as dvc.lock has it."""

    path: str
    """Relative to the folder of dvc.lock."""
    hash: str
    """Kind of the hash, md5; absent where DVC before 3.0 wrote it."""
    md5: str
    """Ends in ``.dir`` for a folder."""


class LockedStage(TypedDict, total=False):
    """A finished stage, as dvc.lock has it: what it was made from, and what it made."""

    deps: list[LockedFile]
    params: dict[str, dict[str, Any]]
    """By file: the value of each parameter by its dotted name."""
    outs: list[LockedFile]


def repository_problems(root: Path) -> list[Problem]:
    """Return what keeps DVC from working in the folder ``root``, which is a project's; none where all is well."""
    missing = missing_repository(root)
    return [*([missing] if missing else []), *conflicts(root)]


def conflicts(root: Path) -> list[Problem]:
    """Return a problem for each file of DVC, and of parameters, in which a merge left both sides."""
    there = [root / name for name in TRACKED if (root / name).exists()]
    found = (_conflict(path, path.read_text(encoding="utf-8", errors="replace")) for path in there)
    return [problem for problem in found if problem is not None]


def read_stages(path: Path) -> dict[str, Any]:
    """Return the stages of a dvc.yaml; none where there is no such file, EagleError for a broken one."""
    return stages_in(path.read_text(encoding="utf-8"), path) if path.exists() else {}


def read_locked(path: Path) -> dict[str, LockedStage]:
    """Return the finished stages of a dvc.lock by full name; none without the file, EagleError for a broken one."""
    return read_stages(path)


def stages_in(text: str, path: Path) -> dict[str, Any]:
    """Return the stages in the ``text`` of a dvc.yaml or dvc.lock.

    Raises EagleError where a merge left both sides in the file ``path``, or where it is broken in another way.
    """
    try:
        return dict((yaml.load(text, _LOADER) or {}).get("stages") or {})
    except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        problem = _conflict(path, text)
        raise EagleError(problem or Problem(f"{path} is not valid YAML with stages", found=str(error))) from None


def missing_repository(root: Path) -> Problem | None:
    """Return what the folder ``root`` lacks of a repository of DVC and of Git; a DVC project above is another one."""
    folder = root / ".dvc"
    if not folder.is_dir():
        begin = "dvc init --subdir" if _in_git(root) else "git init && dvc init"
        return Problem(
            "this folder is no DVC project",
            found=f"no {folder}",
            mend=f"work in the folder that has dvc.yaml, or run `{begin}` in it",
        )
    if _without_git(folder) or _in_git(root):
        return None
    return Problem(
        "this folder is in no Git repository, and DVC works in one",
        found=f"no .git in {root.resolve()} or above",
        mend="run `git init`, or `dvc config --local core.no_scm true` to do without",
    )


def _in_git(root: Path) -> bool:
    try:
        asked = subprocess.run(["git", "rev-parse", "--git-dir"], cwd=root, capture_output=True, check=False)
    except FileNotFoundError:  # `eagle check` says that git is missing; its folder tells enough here
        return any((folder / ".git").exists() for folder in (root.resolve(), *root.resolve().parents))
    return asked.returncode == 0


def _without_git(folder: Path) -> bool:
    settings = configparser.ConfigParser(strict=False, interpolation=None)
    settings.read([folder / "config", folder / "config.local"], encoding="utf-8")
    return settings.getboolean("core", "no_scm", fallback=False)


def _conflict(path: Path, text: str) -> Problem | None:
    at = [number for number, line in enumerate(text.splitlines(), 1) if line.startswith(("<<<<<<< ", ">>>>>>> "))]
    if not at:
        return None
    return Problem(
        f"{path.name} holds a merge conflict",
        found=f"marks of both sides in line {', '.join(map(str, at[:6]))}{', ...' if len(at) > 6 else ''}",
        expected="one side, or both joined by hand",
        mend=_MENDS.get(path.name, f"edit {path.name}, then `git add {path.name}`"),
    )
