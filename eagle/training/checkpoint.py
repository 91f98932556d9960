"""Unfinished training on disk: parameters, optimizer moments and the rows logged so far. No pickle.

All randomness of an update is derived from the seed and the update's number, so a position is all the generator state there is.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from eagle.artifacts import complete_or_absent


@dataclass
class Progress:
    """Where training stands: ``done`` updates over all phases, and what was logged."""

    done: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)


def _flat(optimizer: torch.optim.Optimizer, names: Mapping[int, str]) -> dict[str, torch.Tensor]:
    state = optimizer.state_dict()["state"]
    return {f"{names[i]}|{key}": torch.as_tensor(value) for i, entry in state.items() for key, value in entry.items()}


def save(folder: Path, parameters: Mapping[str, torch.nn.Parameter], optimizer: torch.optim.Optimizer | None, progress: Progress) -> None:
    """Write a checkpoint into ``folder``; the one before is removed once the new one is complete."""
    target = Path(folder) / f"update_{progress.done:06d}"
    with complete_or_absent(target) as draft:
        draft.mkdir()
        save_file({name: p.detach().cpu().contiguous() for name, p in parameters.items()}, draft / "parameters.safetensors")
        moments = _flat(optimizer, dict(enumerate(parameters))) if optimizer else {}
        save_file({k: v.cpu().contiguous().clone() for k, v in moments.items()}, draft / "optimizer.safetensors")
        (draft / "progress.json").write_text(json.dumps(vars(progress)), encoding="utf-8")
    for other in Path(folder).glob("update_*"):
        if other != target:
            shutil.rmtree(other)


def restore(folder: Path, parameters: Mapping[str, torch.nn.Parameter]) -> tuple[Progress, dict[str, torch.Tensor]] | None:
    """Put the newest checkpoint's parameters in place; return progress and flat optimizer moments, or None if there is none."""
    found = sorted(Path(folder).glob("update_*"))
    if not found:
        return None
    saved = load_file(found[-1] / "parameters.safetensors")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(saved[name])
    progress = Progress(**json.loads((found[-1] / "progress.json").read_text(encoding="utf-8")))
    return progress, load_file(found[-1] / "optimizer.safetensors")


def restore_optimizer(optimizer: torch.optim.Optimizer, parameters: Mapping[str, torch.nn.Parameter], moments: Mapping[str, torch.Tensor]) -> None:
    """Give an optimizer over ``parameters`` its moments back."""
    state = optimizer.state_dict()
    for place, name in enumerate(parameters):
        entry = {key.removeprefix(f"{name}|"): value for key, value in moments.items() if key.startswith(f"{name}|")}
        if entry:
            state["state"][place] = entry
    optimizer.load_state_dict(state)
