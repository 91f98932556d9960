"""What stage `environment` decided: the plain model, or an adapter over it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eagle.config import Config
from eagle.core.artifacts import read_json, write_json
from eagle.core.project import EnvironmentFiles


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
    adapt, llm = config.environment.adapt, config.llm
    if adapt is not True and adapt != "auto":
        return "environment.adapt is false"
    if adapt == "auto" and (llm.endpoint is not None or llm.engine not in ("auto", "torch")):
        return "environment.adapt is auto, and another engine than torch writes the texts"
    if adapt == "auto" and not _in_bfloat16(llm.device, llm.dtype):
        return "environment.adapt is auto, and the language model computes in float32 here, where it takes long"
    return None


def _in_bfloat16(device: str, dtype: str) -> bool:
    from eagle.compute.devices import computes_in_bfloat16  # torch, which only an adapted environment asks here

    return computes_in_bfloat16(device, dtype)


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
