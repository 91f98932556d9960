"""Commands that messages name: a checkout has a Makefile, a project that ``eagle init`` made has none."""

from __future__ import annotations

from pathlib import Path


def run_everything(root: Path = Path()) -> str:
    """Return what a reader types in the project's folder ``root`` to bring everything up to date."""
    return "`make run`" if _has_makefile(root) else "`python -m flows.pipeline`"


def install_everything(root: Path = Path()) -> str:
    """Return what a reader types there to install all that the pipeline needs."""
    return "`make run`" if _has_makefile(root) else "`pip install 'eagle-steering[pipeline]'`"


def _has_makefile(root: Path) -> bool:
    return (root / "Makefile").exists()
