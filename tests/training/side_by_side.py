"""What the tests have several training processes do; in a module of its own because each of them imports it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from eagle.compute.parallel import Parallel
from eagle.config import Config, OnPolicyPhase
from eagle.core.artifacts import write_json
from eagle.core.project import Project
from eagle.policies.lora import LoraPolicy
from eagle.training.all_action import AllAction
from eagle.training.on_policy import OnPolicy
from eagle.training.stage import train
from tests.training.test_on_policy import Counting, Place, rules

ARM = "g_optimal"
#: One of four episodes fails, so that five actions are learnt from: an odd number.
EPISODES = 4


def in_surroundings(surroundings: Mapping[str, str], work: Callable[..., None], *arguments: Any) -> None:
    """Do the work with these variables, where the process does not inherit them."""
    os.environ.update(surroundings)
    work(*arguments)


def train_play_and_die(config: Config, straight: Project, stopped: Project, folder: Path, parallel: Parallel) -> None:
    """Train one project to its end, take an on-policy update, and die in the middle of training another project."""
    train(config, straight, ARM, parallel)
    learn_from_episodes(straight, folder, parallel)
    train_until_killed(config, stopped, parallel)


def learn_from_episodes(project: Project, folder: Path, parallel: Parallel) -> None:
    """Take two on-policy updates; the main process writes the parameters and the last row."""
    policy = LoraPolicy.load(project.llm, project.reference(ARM), trainable=True)
    cases: Any = [Place(i) for i in range(3)]
    environment: Any = Counting(failing=frozenset({0, 1, 5})) if parallel.main else None
    settings = OnPolicyPhase(updates=2, episodes=EPISODES, rollouts_per_pair=1, learning_rate=1e-3, max_failures=0.9)
    phase = OnPolicy(
        settings, environment, rules(), cases, policy, kl_coefficient=0.1, gamma=1.0, seed=3, parallel=parallel
    )
    rows = [phase.update(number)[0] for number in range(settings.updates)]
    if parallel.main:
        for name, group in phase.groups.items():
            save_file(group.tensors(), folder / f"{name}.safetensors")
        write_json(folder / "row.json", {name: float(value) for name, value in rows[-1].items()})


def train_until_killed(config: Config, project: Project, parallel: Parallel) -> None:
    """Train until the second process is killed in front of its fourth update."""
    update = AllAction.update

    def dies(self: AllAction, number: int) -> tuple[dict, list[dict]]:
        if number == 3 and not parallel.main:
            os.kill(os.getpid(), signal.SIGKILL)
        return update(self, number)

    AllAction.update = dies  # type: ignore[method-assign]
    train(config, project, ARM, parallel)
