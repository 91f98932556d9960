"""Every stage of the pipeline: its module, the params sections it may read.

``dvc.yaml`` says the same to DVC; ``tests/test_architecture.py`` holds the two together. Which code decides a stage's
result follows from its module's imports (`eagle.config.dependencies`).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eagle.config import Config, Section
from eagle.core.errors import closest, user_error
from eagle.core.project import Project


@dataclass(frozen=True)
class Stage:
    """One stage; ``each`` names the parameter that lists its instances (``reference@uniform``), if it has several."""

    name: str
    module: str
    sections: tuple[str, ...]
    each: str | None = None

    def instances(self, config: Config) -> list[str]:
        """Return the full names, as DVC calls them, under these parameters."""
        if self.each is None:
            return [self.name]
        section, field = self.each.split(".")
        return [f"{self.name}@{value}" for value in getattr(getattr(config, section), field)]

    def dvc_params(self) -> list[str]:
        """Return what dvc.yaml tracks: the sections, and where some parameters of one decide no result, its others by
        name.
        """
        found = []
        for section in self.sections:
            default = Config.model_fields[section].default
            idle = default.idle() if isinstance(default, Section) else frozenset()
            found += (
                [f"{section}.{name}" for name in type(default).model_fields if name not in idle] if idle else [section]
            )
        return found

    def function(self) -> Callable[..., None]:
        """Import the stage's module, which may be heavy, and return its ``run``."""
        run: Callable[..., None] = importlib.import_module(self.module).run
        return run


STAGES: tuple[Stage, ...] = (
    Stage("fetch", "eagle.data.fetch", ("data",)),
    Stage("models", "eagle.engine.fetch", ("llm",)),
    Stage("validate", "eagle.data.checks", ("data",)),
    Stage("split", "eagle.data.splits", ("seed", "split")),
    Stage("factors", "eagle.latent.factors", ("seed", "factors")),
    Stage("describe", "eagle.environment.describe", ("seed", "data", "domain", "describe", "llm")),
    Stage("quality", "eagle.quality.stage", ("data", "domain", "quality")),
    Stage("encoder", "eagle.latent.stage", ("seed", "encoder", "factors")),
    Stage("profiles", "eagle.profiles.stage", ("seed", "data", "domain", "profiles", "llm")),
    Stage("actions", "eagle.actions.candidates", ("seed", "data", "domain", "actions", "llm")),
    Stage("environment", "eagle.adapting.stage", ("seed", "data", "domain", "describe", "environment", "llm")),
    Stage("transitions", "eagle.actions.transitions", ("seed", "data", "domain", "transitions", "llm")),
    Stage("design", "eagle.actions.design.stage", ("seed", "design")),
    Stage("reference", "eagle.training.reference", ("seed", "reference", "utility", "llm"), each="reference.names"),
    Stage(
        "train",
        "eagle.training.stage",
        ("seed", "data", "domain", "train", "reference", "utility", "quality", "llm"),
        each="train.arms",
    ),
    Stage("elm", "eagle.methods.elm.stage", ("seed", "data", "domain", "elm", "llm")),
    Stage(
        "evaluate",
        "eagle.evaluation.stage",
        ("seed", "data", "domain", "design", "evaluate", "utility", "quality", "profiles", "llm", "train", "reference"),
    ),
    Stage("report", "eagle.report.stage", ("registry",)),
    Stage("register", "eagle.registry.stage", tuple(Config.model_fields)),
)


def all_instances(config: Config) -> list[str]:
    """Return the full names of all stages in the order in which they run."""
    return [name for stage in STAGES for name in stage.instances(config)]


def run_stage(name: str, config: Config, project: Project) -> None:
    """Run one stage by its full name and write what it cost.

    Raises EagleError for an unknown name; whatever the stage raises goes through.
    """
    from eagle.core.costs import account

    known = {instance: stage for stage in STAGES for instance in stage.instances(config)}
    if name not in known:
        raise user_error(
            f"there is no stage {name!r}", expected=f"one of {', '.join(known)}", mend=_did_you_mean(name, known)
        )
    stage = known[name]
    arguments: list[Any] = name.split("@")[1:]
    function = stage.function()
    with account(name, project.cost(name)):
        function(config.only(stage.sections), project, *arguments)


def _did_you_mean(name: str, known: Mapping[str, Stage]) -> str:
    """Return a hint: the stage whose own name is nearest (trian), and of its instances the nearest (train@g_optiml)."""
    stage = closest(name.split("@")[0], {stage.name for stage in known.values()})
    instances = [full for full, owner in known.items() if owner.name == stage]
    return f"did you mean {closest(name, instances) or instances[0]!r}?" if instances else ""
