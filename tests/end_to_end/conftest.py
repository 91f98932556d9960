"""One small project, brought up to date once by a real ``dvc repro`` and shared by all end-to-end tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from eagle.config import load_config
from eagle.config.dependencies import name_own_files
from eagle.core.costs import account
from eagle.core.project import Project
from flows.fork_server import running
from tests.end_to_end.small_world import write_project

ROOT = Path(__file__).parents[2]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(root: Path) -> dict[str, str]:
    """The tests' environment; ``eagle`` and ``dvc`` are the installed ones, the library is the project's own copy."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(root),
    }


def run(root: Path, *command: str, expect: int = 0) -> str:
    """Run a command in the project and return its standard output; the exit code must be ``expect``."""
    done = subprocess.run(command, cwd=root, env=environment(root), capture_output=True, text=True, check=False)
    assert done.returncode == expect, (
        f"{command} ended with {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    )
    return done.stdout if expect == 0 else done.stdout + done.stderr


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git and DVC project whose pipeline has run once. Tests that change it put it back.

    Its folder's name has a space, an apostrophe and a letter outside of ASCII, as names of people's folders have.
    """
    root = tmp_path_factory.mktemp("project") / "Zoë's run"
    root.mkdir()
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy2(ROOT / name, root / name)
    shutil.copytree(ROOT / "eagle", root / "eagle", ignore=shutil.ignore_patterns("__pycache__"))
    write_project(root, root / "given")
    run(root, "git", "init", "-q", ".")
    run(root, "dvc", "init", "-q")
    shutil.copy2(ROOT / ".dvc/config", root / ".dvc/config")
    name_own_files(load_config(root / "params.yaml"), Project(root))  # as `make run` does
    _install_models(root)
    with pytest.MonkeyPatch.context() as patch:  # as in a flow; what tests run again, runs by itself
        patch.setenv("PYTHONPATH", str(root))
        with running():
            run(root, "dvc", "repro", "-q")
    run(root, "git", "add", "dvc.yaml", "dvc.lock", "params.yaml", ".dvc", "own", "eagle", ".gitignore", ".dvcignore")
    run(root, "git", "commit", "-q", "-m", "first result")
    return root


def _install_models(root: Path) -> None:
    """Stand in for the stage models, which reads released packages: put the tiny models where it would, and tell DVC
    so.
    """
    for name in ("llm", "text_model"):
        shutil.copytree(root / "given" / name, root / "models" / name)
    with account("models", Project(root).cost("models")):
        pass
    run(root, "dvc", "commit", "-q", "-f", "models")
