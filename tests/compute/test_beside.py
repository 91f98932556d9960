"""Computing beside other programs: what is set, what of the user's own wins, and that it is set back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from eagle.compute.beside import let_threads_sleep, one_thread
from eagle.config import Config
from eagle.core.errors import EagleError, user_error
from eagle.core.project import Project
from eagle.serving.steer import Steerer


def test_waiting_threads_sleep_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    let_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "active"
    monkeypatch.delenv("OMP_WAIT_POLICY")
    let_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "passive"


def test_a_served_agent_says_so_before_torch_is_there() -> None:
    """torch reads it once, when it is imported."""
    asked = (
        "import os, sys, builtins; before = builtins.__import__\n"
        "def told(name, *rest, **more):\n"
        "    if name == 'torch': sys.exit('asleep' if os.environ.get('OMP_WAIT_POLICY') == 'passive' else 'awake')\n"
        "    return before(name, *rest, **more)\n"
        "builtins.__import__ = told\n"
    )
    clean = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    for work in (
        "import eagle.serving; eagle.serving.SteeringModel",
        "from eagle.cli import app; app(['steer', '--user', 'u', '--item', 'i', '--agent', '.'])",
    ):
        said = subprocess.run([sys.executable, "-c", asked + work], env=clean, capture_output=True, text=True)
        assert said.stderr.strip().splitlines()[-1] == "asleep", said.stderr


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
