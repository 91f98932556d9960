"""A stage run by the fork server against the same stage run by itself: what it says, where it is, how it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from eagle.core.fork_client import ADDRESS
from flows.fork_server import running

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the server is for Linux")

STAGE = """
import os, sys, time

def run(config, project):
    what = os.environ["WHAT"]
    print(os.getppid() == int(os.environ["ASKED_BY"]), os.getcwd(), flush=True)
    print("to stderr", file=sys.stderr, flush=True)
    if what == "sleep":
        print(os.getpid(), flush=True)
        time.sleep(60)
    elif what == "die":
        os.kill(os.getpid(), 9)
    elif what == "raise":
        raise RuntimeError("in the stage")
"""

# A shell's background job inherits SIGINT ignored.
COMMAND = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from eagle.cli import main; main()"


@dataclass
class World:
    """A project, and a copy of the package in which the stage split does what WHAT says."""

    folder: Path
    package: Path

    def command(self, what: str, **extra: str) -> tuple[list[str], dict[str, str]]:
        """Return command and environment of the stage; PYTHONPATH is that of the copy."""
        return [sys.executable, "-c", COMMAND, "stage", "split"], {
            **os.environ,
            "WHAT": what,
            "ASKED_BY": str(os.getpid()),
            **extra,
        }

    def run(self, what: str = "", **extra: str) -> tuple[int, list[str], str]:
        """Run the stage; return its exit code, the lines of its output (first: whether it was our own child), and its
        errors.
        """
        command, environment = self.command(what, **extra)
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.split(), done.stderr


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server over the copy, ready."""
    root = tmp_path_factory.mktemp("forks")
    package = root / "code/eagle"
    shutil.copytree(ROOT / "eagle", package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "data/splits.py").write_text(STAGE, encoding="utf-8")
    (root / "project").mkdir()
    shutil.copy2(ROOT / "params.yaml", root / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(package.parent))
        with running():
            wait_for(Path(os.environ[ADDRESS]).exists)
            yield World(root / "project", package)
        assert ADDRESS not in os.environ


def wait_for(what: object, seconds: float = 120) -> None:
    assert callable(what)
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_stage_does_as_by_itself_in_another_process(world: World) -> None:
    code, there, errors = world.run()
    assert (code, there, errors) == (0, ["False", str(world.folder)], "to stderr\n")
    alone = world.run(**{ADDRESS: "/nowhere"})
    assert alone == (0, ["True", *there[1:]], errors)


@pytest.mark.parametrize(("what", "code"), [("die", 128 + signal.SIGKILL), ("raise", 1)])
def test_a_stage_that_fails_is_told(world: World, what: str, code: int) -> None:
    found, said, errors = world.run(what)
    assert (found, said[0]) == (code, "False")
    assert ("RuntimeError: in the stage" in errors) == (what == "raise")


def test_a_users_mistake_is_told_once_with_exit_2(world: World) -> None:
    params = world.folder / "params.yaml"
    before = params.read_text(encoding="utf-8")
    try:
        params.write_text("sed: 7\n", encoding="utf-8")
        code, said, errors = world.run()
    finally:
        params.write_text(before, encoding="utf-8")
    assert (code, said) == (2, [])
    assert errors.startswith("eagle: ") and "seed" in errors and "Traceback" not in errors


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_command_that_is_stopped_takes_its_stage_along(world: World, sign: signal.Signals, code: int) -> None:
    command, environment = world.command("sleep")
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=world.folder, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("False")
        stage = int(process.stdout.readline())
        process.send_signal(sign)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in errors
    wait_for(lambda: not psutil.pid_exists(stage))
    assert ("stopped" in errors) == (sign == signal.SIGINT)


def test_other_code_than_the_servers_is_run_by_itself(world: World, tmp_path: Path) -> None:
    """Another copy of the package, and then a module that has changed since the server began."""
    shutil.copytree(world.package, tmp_path / "eagle")
    assert world.run(PYTHONPATH=str(tmp_path))[1][0] == "True"
    changed = world.package / "core/errors.py"
    before = changed.stat()
    try:
        os.utime(changed, (0, 0))
        assert world.run()[1][0] == "True"
    finally:
        os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert world.run()[1][0] == "False"


def test_a_block_within_a_block_keeps_the_server(world: World) -> None:
    address = os.environ[ADDRESS]
    with running():
        assert os.environ[ADDRESS] == address
    assert os.environ[ADDRESS] == address
    assert world.run()[1][0] == "False"
