"""A stage whose ``dvc`` is killed ends too; one that was started by hand outlives its shell."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.dvc_here import dvc

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process file descriptors are Linux's")
STAGE = """
import os, time
from pathlib import Path
from eagle.core.parent import end_with_parent
end_with_parent()
Path("began.tmp").write_text(str(os.getpid()))
Path("began.tmp").rename("began")
time.sleep(120)
"""


def begun(folder: Path) -> psutil.Process:
    """The stage's process, once it runs."""
    for _ in range(600):
        if (folder / "began").exists():
            return psutil.Process(int((folder / "began").read_text()))
        time.sleep(0.1)
    raise AssertionError("the stage did not begin")


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "stage.py").write_text(STAGE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_a_killed_dvc_ends_its_stage(
    stage: Path, monkeypatch: pytest.MonkeyPatch, shell: str, background: bool
) -> None:
    """Some shells become the stage, others wait for it and outlive DVC; what a script runs with & ignores Ctrl-C."""
    monkeypatch.setenv("SHELL", shell)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    (stage / "dvc.yaml").write_text(f"stages:\n  one:\n    cmd: {sys.executable} stage.py\n    outs: [began]\n")
    dvc(stage, "init", "--no-scm", "-q")
    words = [sys.executable, "-m", "dvc", "repro", "-q"]
    ignoring = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"] if background else []
    with subprocess.Popen([*ignoring, *words], start_new_session=True) as running:
        process = begun(stage)
        running.send_signal(signal.SIGKILL)
    assert psutil.wait_procs([process], timeout=30)[1] == []


def test_a_stage_started_by_hand_outlives_its_shell(stage: Path) -> None:
    surroundings = {name: value for name, value in os.environ.items() if name != "DVC_ROOT"}
    subprocess.run(
        f"{sys.executable} stage.py & while [ ! -e began ]; do sleep .1; done", shell=True, check=True, env=surroundings
    )
    process = begun(stage)
    try:
        assert psutil.wait_procs([process], timeout=1)[1] == [process]
    finally:
        process.kill()
