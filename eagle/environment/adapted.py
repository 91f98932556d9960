"""What stage `environment` decided: the plain model, or an adapter over it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eagle.config import Config
from eagle.core.artifacts import read_json, write_json
from eagle.core.folders import EnvironmentFiles


@dataclass(frozen=True)
class EnvironmentDecision:
    """Which model writes the texts, why, and both sides' figures on validation items, empty where none were taken."""

    adapted: bool
    reasons: tuple[str, ...]
    plain: dict[str, Any] = field(default_factory=dict)
    tried: dict[str, Any] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the decision as JSON."""
        write_json(path, asdict(self))


def reason_against(config: Config) -> str | None:
    """Return why no adapted environment is tried here, None where one is."""
    if config.environment.adapt != "auto":
        return None if config.environment.adapt else "environment.adapt is false"
    if not config.llm.trainable:
        return "environment.adapt is auto, and another engine than torch writes the texts"
    from eagle.compute.devices import computes_in_bfloat16  # torch, which nothing else asks here

    if not computes_in_bfloat16(config.llm):
        return "environment.adapt is auto, and the language model computes in float32 here, where it takes long"
    return None


def read_decision(folder: Path) -> EnvironmentDecision:
    """Read the decision in a folder models/environment; the plain model where there is none."""
    path = EnvironmentFiles(folder).decision
    if not path.exists():
        return EnvironmentDecision(False, ("stage environment has not run",))
    told = read_json(path)
    return EnvironmentDecision(**told | {"reasons": tuple(told["reasons"])})


def kept_adapter(folder: Path) -> Path | None:
    """Return the adapter that writes the environment's texts, None where the plain model does."""
    return EnvironmentFiles(folder).adapter if read_decision(folder).adapted else None
