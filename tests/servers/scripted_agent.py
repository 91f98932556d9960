"""A finished run whose agent is made of a few bytes, and what stands for that agent where it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from eagle.config import Config, parse_config
from eagle.config.parameters import params_yaml
from eagle.core.project import Project
from eagle.serving.agent_files import AgentFiles
from eagle.serving.steer import Steerer
from eagle.serving.trajectories import ServedTrajectory, TrajectoryStep
from tests.report.finished_run import finished_run

TEXT = "Genres: war. Plot: What the scripted agent writes."


class ScriptedSteerer:
    """Answers every request with one text."""

    horizon = 1

    def steer(
        self, pairs: Sequence[tuple[str, str]], *, seed: int, sample: int = 0, horizon: int = 0
    ) -> list[ServedTrajectory]:
        steps = [TrajectoryStep(0, "", "old", 0.0, None, []), TrajectoryStep(1, "Add a war.", TEXT, 0.5, None, [])]
        return [ServedTrajectory(user, "User likes war.", item, item, sample, TEXT, 0.5, steps) for user, item in pairs]

    def samples(self, user: str, item: str, *, samples: int, seed: int) -> list[ServedTrajectory]:
        return self.steer([(user, item)], seed=seed)


def script(patch: pytest.MonkeyPatch) -> None:
    """Let a packed agent whose files are as they were packed open as the scripted one."""

    def load(files: AgentFiles) -> ScriptedSteerer:
        files.check()
        return ScriptedSteerer()

    patch.setattr(Steerer, "load", load)
    patch.setattr("eagle.serving.model.own_search", lambda *_: None)


def registrable_run(root: Path, tracking_uri: str) -> tuple[Config, Project]:
    """Write a run that is ready for stage register, which is to register it at ``tracking_uri``."""
    project = finished_run(root)
    for path in (
        project.agent("g_optimal") / "adapter_model.safetensors", project.descriptions, project.actions,
        project.quality, project.llm / "model.safetensors", project.text_model / "model.safetensors",
    ):  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"what an agent is made of")
    config = parse_config({"registry": {"tracking_uri": tracking_uri}})
    project.params.write_text(params_yaml(config), encoding="utf-8")
    return config, project
