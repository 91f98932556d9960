"""Unfinished training on disk: parameters, optimizer moments and the rows logged so far. No pickle.

All randomness of an update is derived from the seed and the update's number, so a position is all the generator state
there is.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from eagle.core.artifacts import complete_or_absent, content_hash
from eagle.training.records import LoggedSample, Row

_log = logging.getLogger(__name__)
_PROGRESS, _CHECKSUMS = "progress.json", "checksums.json"


@dataclass
class Trained:
    """Parameters by name, in the order in which their optimizer holds them."""

    parameters: Mapping[str, torch.nn.Parameter]
    optimizer: torch.optim.Optimizer

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return parameters and moments under flat names."""
        names = list(self.parameters)
        flat = {f"parameter|{name}": p.detach() for name, p in self.parameters.items()}
        for place, entry in self.optimizer.state_dict()["state"].items():
            flat |= {f"{key}|{names[place]}": torch.as_tensor(value) for key, value in entry.items()}
        return {name: tensor.cpu().contiguous().clone() for name, tensor in flat.items()}

    def restore(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Put parameters and moments back."""
        state = self.optimizer.state_dict()
        entries: dict[str, dict[str, torch.Tensor]] = {}
        for flat, tensor in tensors.items():
            key, _, name = flat.partition("|")
            entries.setdefault(name, {})[key] = tensor
        for place, (name, parameter) in enumerate(self.parameters.items()):
            with torch.no_grad():
                parameter.copy_(entries[name].pop("parameter"))
            if entries[name]:
                state["state"][place] = entries[name]
        self.optimizer.load_state_dict(state)


@dataclass
class Progress:
    """Where training stands: the phase, its finished updates, and what was logged over all phases."""

    phase: int = 0
    done: int = 0
    rows: list[Row] = field(default_factory=list)
    samples: list[LoggedSample] = field(default_factory=list)


def save(folder: Path, groups: Mapping[str, Trained], progress: Progress) -> None:
    """Write a checkpoint into ``folder``; the one before is removed once the new one is complete."""
    target = Path(folder) / f"phase_{progress.phase:02d}_update_{progress.done:06d}"
    with complete_or_absent(target) as draft:
        draft.mkdir()
        for name, group in groups.items():
            save_file(group.tensors(), draft / f"{name}.safetensors")
        (draft / _PROGRESS).write_text(json.dumps(vars(progress)), encoding="utf-8")
        (draft / _CHECKSUMS).write_text(json.dumps(_checksums(draft)), encoding="utf-8")
    for other in Path(folder).glob("phase_*"):
        if other != target:
            shutil.rmtree(other)


def newest(folder: Path) -> tuple[Path, Progress] | None:
    """Return the newest whole checkpoint and where it stands; one that a disk has damaged is told of and removed."""
    for found in sorted(Path(folder).glob("phase_*"), reverse=True):
        if _is_whole(found):
            return found, Progress(**json.loads((found / _PROGRESS).read_text(encoding="utf-8")))
        _log.warning("the checkpoint %s is damaged: training goes on without it", found)
        shutil.rmtree(found, ignore_errors=True)  # each process of a parallel training does
    return None


def _checksums(checkpoint: Path) -> dict[str, str]:
    return {path.name: content_hash(path) for path in sorted(checkpoint.iterdir()) if path.name != _CHECKSUMS}


def _is_whole(checkpoint: Path) -> bool:
    """Whether its files are as they were written."""
    try:
        return bool(json.loads((checkpoint / _CHECKSUMS).read_bytes()) == _checksums(checkpoint))
    except (OSError, ValueError):
        return False


def restore(folder: Path, groups: Mapping[str, Trained]) -> None:
    """Put one checkpoint's tensors in place."""
    for name, group in groups.items():
        group.restore(load_file(folder / f"{name}.safetensors"))
