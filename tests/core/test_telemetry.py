"""No command of the pages calls home: real commands, in an environment that switches nothing off, with an eye on hosts.

What switches telemetry off for all other tests, and what tools take for a test run, is taken away here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eagle.config.parameters import params_yaml
from eagle.core import telemetry
from tests.docs.pages import ROOT

EYE = """
import socket, sys
def look(event, arguments):
    if event == "socket.getaddrinfo" and arguments[0] not in (None, "localhost", "127.0.0.1", "::1", ""):
        with open({log!r}, "a") as log:
            print(arguments[0], file=log)
        raise socket.gaierror("nothing leaves this machine")
sys.addaudithook(look)
"""
ABOUT_TESTS = ("PYTEST_CURRENT_TEST", "PYTEST_VERSION", "CI", "DVC_TEST", "PREFECT_TEST_MODE", "PREFECT_UNIT_TEST_MODE")
MLFLOW = next(
    line for line in (ROOT / "docs/operating.md").read_text(encoding="utf-8").splitlines() if "DO_NOT_TRACK=" in line
)


class Shell:
    """A plain shell in the project's folder; ``asked`` are the hosts that any of its processes looked for."""

    def __init__(self, folder: Path, eye: Path) -> None:
        eye.mkdir()
        self._folder, self._eye, self._log = folder, eye, eye / "asked"
        self._log.touch()
        (eye / "sitecustomize.py").write_text(EYE.format(log=str(self._log)))

    def run(self, command: str) -> str:
        """Run the lines and return what they say on standard output."""
        own = {"PYTHONPATH": f"{self._eye}{os.pathsep}{ROOT}"}
        own["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        plain = {name: value for name, value in os.environ.items() if name not in (*telemetry.SETTINGS, *ABOUT_TESTS)}
        done = subprocess.run(
            command, shell=True, cwd=self._folder, env=plain | own, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    @property
    def asked(self) -> list[str]:
        return self._log.read_text().split()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in a project with this repository's settings of DVC and Prefect."""
    root = tmp_path / "project"
    (root / ".dvc").mkdir(parents=True)
    for name in (".dvc/config", "prefect.toml"):
        shutil.copy2(ROOT / name, root / name)
    (root / "params.yaml").write_text(params_yaml(), encoding="utf-8")
    (root / ".dvc/config.local").write_text("[core]\n    no_scm = true\n")
    return Shell(root, tmp_path / "eye")


def test_the_eye_sees_what_is_asked(shell: Shell) -> None:
    shell.run("python -c 'import socket; socket.getaddrinfo(\"example.org\", 80)'")
    assert shell.asked == ["example.org"]


@pytest.mark.parametrize(
    "command",
    [
        "eagle report",
        "dvc status; dvc metrics show",
        f"{MLFLOW}\nmkdir mlruns; mlflow experiments search",
        "prefect config view",
    ],
)
def test_a_command_asks_for_no_other_host(shell: Shell, command: str) -> None:
    shell.run(command)
    assert shell.asked == []


def test_dvc_and_prefect_read_from_files_that_nothing_is_sent(shell: Shell) -> None:
    assert shell.run("python -c 'import dvc.analytics as a; print(a.is_enabled())'") == "False"
    setting = "get_current_settings().server.analytics_enabled"
    assert shell.run(f"python -c 'from prefect.settings import *; print({setting})'") == "False"


def test_what_the_page_says_switches_mlflows_telemetry_off(shell: Shell) -> None:
    question = "python -c 'from mlflow.telemetry.utils import is_telemetry_disabled as off; print(off())'"
    assert shell.run(question) == "False"
    assert shell.run(f"{MLFLOW}\n{question}") == "True"


@pytest.mark.parametrize("start", ["import eagle.cli; eagle.cli.telemetry.switch_off()", "import flows"])
def test_eagle_and_its_flows_switch_off_what_their_libraries_would_send(shell: Shell, start: str) -> None:
    asked = f"[os.environ.get(name) for name in {tuple(telemetry.SETTINGS)}]"
    told = shell.run(f"""python -c "{start}; import os; print({asked})" """)
    assert re.findall(r"'(.*?)'", told) == list(telemetry.SETTINGS.values())
