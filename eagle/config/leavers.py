"""What arms that have left params.yaml left behind: no stage makes it any more, and DVC does not delete it.

The evaluation depends on the folders of all agents, so a left one would also make a fresh clone, which has none, stale.
"""

from __future__ import annotations

from pathlib import Path

from eagle.config.root import Config
from eagle.core.artifacts import remove
from eagle.core.project import Project


def remove_left(config: Config, project: Project) -> list[Path]:
    """Delete agents, references, curves, samples and costs of arms that are none now; return what was deleted."""
    trained: set[str] = set(config.train.arms)
    references: set[str] = set(config.reference.names)
    left = [
        *_others(project.agent("*"), trained),
        *_others(project.training_samples("*"), trained),
        *_others(project.curve("train_*"), {f"train_{arm}" for arm in trained}),
        *_others(project.cost("train@*"), {f"train@{arm}" for arm in trained}),
        *_others(project.reference("*"), references),
        *_others(project.curve("reference_*"), {f"reference_{name}" for name in references}),
        *_others(project.cost("reference@*"), {f"reference@{name}" for name in references}),
    ]
    for path in left:
        remove(path)
    return left


def _others(pattern: Path, names: set[str]) -> list[Path]:
    """Return the complete files or folders that fit the pattern, but those of ``names``."""
    found = sorted(path for path in pattern.parent.glob(pattern.name) if not path.name.startswith("."))
    return [path for path in found if path.name.removesuffix(pattern.suffix) not in names]
