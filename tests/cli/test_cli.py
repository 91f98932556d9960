"""The ``eagle`` command: exit codes, one clear message, no traceback."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from eagle import cli
from eagle.config.parameters import params_yaml
from eagle.core import telemetry
from eagle.core.errors import Problem, user_error


def run(*arguments: str, cwd: Path) -> Result:
    """Run the command in this process, which a traceback goes through."""
    with contextlib.chdir(cwd):
        return CliRunner().invoke(cli.app, arguments, catch_exceptions=False)


CONFLICT = 'schema: "2.0"\n<<<<<<< HEAD\nstages: {}\n=======\nstages: {fetch: {}}\n>>>>>>> other\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text(params_yaml(), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "arguments", [("--help",), ("stage", "--help"), ("steer", "--help"), ("gaps", "--help"), ("check", "--help")]
)
def test_help_is_fine(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.exit_code == 0
    assert "Usage" in done.stdout


def test_a_new_folder_with_a_blank_is_quoted_where_it_is_entered(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()  # a repository that is left alone
    done = run("init", "my games", cwd=tmp_path)
    assert done.exit_code == 0
    assert "then: cd 'my games' && eagle check" in done.stdout


@pytest.mark.parametrize("name", ["dvc.lock", "dvc.yaml"])
@pytest.mark.parametrize("arguments", [("stage", "encoder"), ("check",)])
def test_a_merge_conflict_is_one_message_in_every_command(arguments: tuple[str, ...], name: str, project: Path) -> None:
    (project / name).write_text(CONFLICT, encoding="utf-8")
    done = run(*arguments, cwd=project)
    assert done.exit_code == 2
    assert done.stderr.count(f"{name} holds a merge conflict\n  found: marks of both sides in line 2, 6") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("stage", "encodr"), "did you mean 'encoder'?"),
        (("stage", "reference@unifrom"), "did you mean 'reference@uniform'?"),
        (("stage", "trian"), "did you mean 'train@g_optimal'?"),
        (("stage", "train@g_optiml"), "did you mean 'train@g_optimal'?"),
        (("stage",), "Missing argument"),
        (("stagee", "encoder"), "No such command"),
        (("steer", "--user", "1"), "Missing option"),
        (("steer", "--user", "1", "--item", "1", "--budget", "100000000000"), "Invalid value for '--budget'"),
        (("steer", "--user", "1", "--item", "1", "--samples", "100000000000"), "Invalid value for '--samples'"),
        (("gaps", "--top", "0"), "Invalid value"),
        (("gaps",), "does not exist"),
        (("report",), "does not exist"),
    ],
)
def test_a_mistake_is_one_message_and_exit_2(arguments: tuple[str, ...], said: str, project: Path) -> None:
    done = run(*arguments, cwd=project)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_asking_for_an_agent_makes_no_store(project: Path) -> None:
    done = run("steer", "--user", "1", "--item", "1", cwd=project)
    assert done.exit_code == 2
    assert done.stderr.startswith(
        "eagle: models:/eagle-agent@champion is not in the registry\n  found: no store at sqlite:///"
    )
    assert [path.name for path in project.iterdir()] == ["params.yaml"]


def test_all_wrong_parameters_are_named_at_once(project: Path) -> None:
    text = params_yaml().replace("horizon: 3", "horizn: 3", 1).replace("iterations: 12", "iterations: 0")
    (project / "params.yaml").write_text(text, encoding="utf-8")
    done = run("stage", "fetch", cwd=project)
    assert done.exit_code == 2
    assert "did you mean 'horizon'?" in done.stderr
    assert "factors.iterations" in done.stderr


def test_outside_of_a_project_in_a_process_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "eagle.cli", "stage", "fetch"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "params.yaml does not exist" in done.stderr
    assert "Traceback" not in done.stderr


class Failing(Exception):
    pass


def _command(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    """Exit code of ``eagle report`` where the library raises ``error``."""

    def print_summary(_: object) -> None:
        raise error

    module = types.ModuleType("eagle.report.summary")
    module.print_summary = print_summary  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "eagle.report.summary", module)
    monkeypatch.setattr(sys, "argv", ["eagle", "report"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(str(left.value.code))


def test_ctrl_c_is_exit_130_with_a_short_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _command(monkeypatch, KeyboardInterrupt()) == 130
    assert "goes on from here" in capsys.readouterr().err


def test_a_users_mistake_shows_all_four_parts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = user_error("what is wrong", found="this", expected="that", mend="so")
    assert error.problems == (Problem("what is wrong", "this", "that", "so"),)
    assert _command(monkeypatch, error) == 2
    assert capsys.readouterr().err == "eagle: what is wrong\n  found: this\n  expected: that\n  mend: so\n"


def test_anything_else_goes_through_as_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Failing):
        _command(monkeypatch, Failing())


def test_an_interrupted_stage_leaves_with_130(project: Path) -> None:
    """A stage in another process, really interrupted: the module it would import sleeps instead."""
    (project / "sitecustomize.py").write_text(
        "import signal, sys, time, types\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background job inherits it ignored
        "module = types.ModuleType('eagle.data.splits')\n"
        "def run(config, project):\n    print('running', flush=True)\n    time.sleep(60)\n"
        "module.run = run\nsys.modules['eagle.data.splits'] = module\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "PYTHONPATH": str(project)}
    command = [sys.executable, "-m", "eagle.cli", "stage", "split"]
    with subprocess.Popen(
        command, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert not (project / "reports/costs/split.json").exists()


def test_a_users_own_telemetry_setting_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.delenv("DVC_NO_ANALYTICS", raising=False)
    telemetry.switch_off()
    assert os.environ["HF_HUB_OFFLINE"] == "0"
    assert os.environ["DVC_NO_ANALYTICS"] == "1"
