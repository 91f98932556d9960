"""What a run was made from: the commit of the code and the hashes of the data."""

from __future__ import annotations

import getpass
import shutil
import subprocess

from eagle.core.artifacts import content_hash
from eagle.core.project import Project
from eagle.core.repository import read_locked


def data_versions(project: Project) -> dict[str, str]:
    """Return output -> hash as dvc.lock has them; empty where the pipeline runs without DVC."""
    stages = read_locked(project.dvc_lock).values()
    return {out["path"]: str(out.get("md5", "")) for stage in stages for out in stage.get("outs", [])}


def catalogue_hash(project: Project) -> str:
    """Return the hash of the catalogue that DVC knows it by; our own where the pipeline runs without DVC."""
    of_dvc = data_versions(project).get(project.catalogue.relative_to(project.root).as_posix())
    return of_dvc or content_hash(project.catalogue)


def commit(project: Project) -> str:
    """Return the commit of the folder, with ``+changes`` where files differ from it; "" outside of git or without."""

    def git(*arguments: str) -> str:
        found = subprocess.run(["git", *arguments], cwd=project.root, capture_output=True, text=True, check=False)
        return found.stdout.strip() if found.returncode == 0 else ""

    if shutil.which("git") is None:
        return ""
    head = git("rev-parse", "HEAD")
    return f"{head}+changes" if head and git("status", "--porcelain", "--untracked-files=no") else head


def user() -> str:
    """Return who runs this; "unknown" where the machine has no name for them, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
