"""Where a project keeps what outlives one run, when the run is in a temporary workspace of DVC's.

``dvc exp run --temp`` and ``--queue`` run the stages in a copy of the project below ``.dvc/tmp/exps``, which DVC
deletes afterwards. Texts that were paid for and MLflow's runs belong to the project itself.
"""

from __future__ import annotations

from pathlib import Path

WORKSPACES = (".dvc", "tmp", "exps")


def home(root: Path) -> Path:
    """Return the project of which ``root`` is a temporary workspace, or ``root`` as it is where it is none."""
    here = root.resolve()
    within = next((folder for folder in here.parents if folder.parts[-3:] == WORKSPACES), None)
    return root if within is None else within.parents[2]


def borrow(root: Path, name: str) -> None:
    """Let the folder ``name`` of a temporary workspace be the project's own, by a link; elsewhere do nothing.

    For tools that look for a relative path. Where the workspace has the folder already, it stays.
    """
    own, link = home(root) / name, root / name
    if home(root) == root or link.exists():
        return
    own.mkdir(parents=True, exist_ok=True)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(own, target_is_directory=True)
