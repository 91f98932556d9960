"""What tells one run of MLflow's list from another: its name, and where it comes from."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from eagle.config import Config, parse_config, read_values
from eagle.config.settings import differences, merged
from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.registry.provenance import commit, user

_SHOWN = 2  # changed parameters that a name can hold
_EXPERIMENT = "DVC_EXP_NAME"  # set by `dvc exp run` for its stages


def run_name(config: Config, project: Project, began: float) -> str:
    """Return setting, seed, source and date of a run that ``began`` then, in seconds since 1970; an experiment's name
    in front. A list shows the first twenty letters, so what differs most often comes first.
    """
    source = config.data.source
    told = [
        setting_name(config, project),
        f"seed {config.seed}",
        f"files of {project.home.resolve().name}" if source == "files" else source,
        f"{datetime.fromtimestamp(began):%Y-%m-%d %H:%M}",
    ]
    return ", ".join([os.environ[_EXPERIMENT], *told] if os.environ.get(_EXPERIMENT) else told)


def setting_name(config: Config, project: Project) -> str:
    """Return the named setting that the parameters hold to, "default", or what differs from the defaults."""
    present = config.model_dump(mode="json")
    held = [path.stem for path in sorted(project.settings.glob("*.yaml")) if _holds(path, present, config)]
    if held:
        return "+".join(held)
    aside = {"seed", "data"}  # which the name has by themselves
    default = Config().model_dump(mode="json", exclude=aside)
    found = list(differences(default, config.model_dump(mode="json", exclude=aside)))
    if len(found) > _SHOWN:
        return f"{len(found)} changes"
    return ", ".join(map(_short, found)) or "default"


def _holds(setting: Path, present: dict[str, Any], config: Config) -> bool:
    """Say whether a named setting would change nothing."""
    try:
        return parse_config(merged(present, read_values(setting)), setting) == config
    except EagleError:  # of another version, or it does not go with the other parameters
        return False


def _short(difference: str) -> str:
    """Return ``kl_coefficient 0.05`` for ``train.kl_coefficient: 0.04 -> 0.05``."""
    name, _, values = difference.partition(": ")
    return f"{name.rpartition('.')[2]} {values.rpartition(' -> ')[2]}"


def origin(project: Project) -> dict[str, str]:
    """Return the tags by which MLflow shows commit, command and user of a run."""
    head, _, changes = commit(project).partition("+")
    tags = {"mlflow.source.name": "dvc repro", "mlflow.source.type": "PROJECT", "mlflow.user": user()}
    tags |= {"mlflow.source.git.commit": head} if head else {}
    return tags | ({"eagle.uncommitted": "yes"} if changes else {})
