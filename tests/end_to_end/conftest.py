"""One small project, brought up to date once by a real ``dvc repro`` and shared by all end-to-end tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eagle.config import load_config
from eagle.config.dependencies import name_own_files
from eagle.core.costs import account
from eagle.core.fork_client import ADDRESS
from eagle.core.project import Project
from flows.fork_server import running
from tests.dvc_here import dvc
from tests.end_to_end.small_world import write_project

ROOT = Path(__file__).parents[2]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(root: Path, server: str | None = None) -> dict[str, str]:
    """The tests' environment; ``eagle`` and ``dvc`` are the installed ones, the library is the project's own copy.

    With the address of a fork server, stages are run there, as in a flow; without, by themselves.
    """
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(root),
        **({ADDRESS: server} if server else {}),
    }


def run(root: Path, *command: str, expect: int = 0, server: str | None = None) -> str:
    """Run a command in the project and return its standard output; the exit code must be ``expect``."""
    surroundings = environment(root, server)
    done = subprocess.run(command, cwd=root, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == expect, (
        f"{command} ended with {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    )
    return done.stdout if expect == 0 else done.stdout + done.stderr


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a copy of the library and with the models, in which nothing has run.

    Its folder's name has a space, an apostrophe and a letter outside of ASCII, as names of people's folders have.
    """
    root = tmp_path_factory.mktemp("project") / "Zoë's run"
    root.mkdir()
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy2(ROOT / name, root / name)
    shutil.copytree(ROOT / "eagle", root / "eagle", ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture(scope="session")
def server(written: Path) -> Iterator[str | None]:
    """The address of a flow's fork server over the project's copy of the library; None where there is none."""
    with contextlib.ExitStack() as until_the_end:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(written))
            until_the_end.enter_context(running())
        address = os.environ.pop(ADDRESS, None)  # only those that ask for the server have their stages run there
        yield address
        if address:
            os.environ[ADDRESS] = address  # which ``running`` put there and takes away


@pytest.fixture(scope="session")
def project(written: Path, server: str | None) -> Path:
    """A git and DVC project whose pipeline has run once. Tests that change it put it back."""
    root = written
    write_project(root, root / "given")
    run(root, "git", "init", "-q", ".")
    dvc(root, "init", "-q")
    shutil.copy2(ROOT / ".dvc/config", root / ".dvc/config")
    name_own_files(load_config(root / "params.yaml"), Project(root))  # as `make run` does
    _install_models(root)
    run(root, "dvc", "repro", "-q", server=server)
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
    dvc(root, "commit", "-q", "-f", "models")
