"""Computing beside other programs: what is set, what of the user's own wins, and that it is set back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from eagle.compute.beside import SPINS, let_threads_sleep, one_thread
from eagle.config import Config
from eagle.core.errors import EagleError, user_error
from eagle.core.project import Project
from eagle.serving.steer import Steerer


@pytest.mark.parametrize(("own", "spins"), [({}, "2000"), ({SPINS: "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, None)])
def test_waiting_threads_sleep_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, own: dict[str, str], spins: str | None
) -> None:
    for name in (SPINS, "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    let_threads_sleep()
    assert os.environ.get(SPINS) == spins


@pytest.mark.parametrize(
    "work",
    [
        "import eagle.serving; eagle.serving.SteeringModel",
        "sys.argv[1:] = ['steer', '--user', 'u', '--item', 'i', '--agent', '.']; import eagle.cli; eagle.cli.main()",
        "sys.argv[1:] = ['socket']; import flows.fork_server; flows.fork_server.main()",
    ],
)
def test_every_command_says_so_before_torch_is_there(tmp_path: Path, work: str) -> None:
    """torch reads it once, when it is imported."""
    asked = (
        "import os, sys, builtins; before = builtins.__import__\n"
        "def told(name, *rest, **more):\n"
        f"    if name == 'torch': sys.exit(os.environ.get({SPINS!r}, 'awake'))\n"
        "    return before(name, *rest, **more)\n"
        "builtins.__import__ = told\n"
    )
    clean = {name: value for name, value in os.environ.items() if name not in (SPINS, "OMP_WAIT_POLICY")}
    clean["PYTHONPATH"] = str(Path(__file__).parents[2])
    said = subprocess.run(
        [sys.executable, "-c", asked + work], env=clean, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert said.stderr.strip().splitlines()[-1] == "2000", said.stderr


def test_one_thread_ends_with_the_work() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(ValueError, match="work"), one_thread():
            assert torch.get_num_threads() == 1
            raise ValueError("work")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_an_agents_models_are_opened_with_one_thread(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def opened(*_: object, **__: object) -> None:
        raise user_error(f"{torch.get_num_threads()} threads")

    monkeypatch.setattr("eagle.serving.steer.load_latent", lambda _: None)
    monkeypatch.setattr("eagle.serving.steer.open_language_model", opened)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(EagleError, match="1 threads"):
            Steerer.open(Config(), Project(tmp_path), tmp_path)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
