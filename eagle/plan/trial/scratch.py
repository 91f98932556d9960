"""A copy of the project in a temporary folder, in which the trial makes what it needs; the project stays as it is.

What DVC calls up to date is linked there, not made again. Everything else in the project's folder is linked too, so
that relative paths and parts of one's own are found.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from eagle.config import Config
from eagle.config.stages import run_stage
from eagle.core.project import Project

STAGES = ("models", "fetch", "validate", "split", "factors", "describe", "quality", "encoder")
"""What the trial needs, each stage after those that it reads."""
ADAPTED = "environment"  # too long to be made for a trial, and used where it is up to date
_MADE = ("data", "models", "reports")  # folders that stages write into
_LEFT_OUT = (".git", ".dvc", "dvc.lock", "mlruns")


@contextlib.contextmanager
def scratch_project(config: Config, project: Project) -> Iterator[Project]:
    """Yield a project with the outputs of all ``STAGES``; it is gone afterwards.

    A failure of a stage goes through, such as the EagleError of a file that cannot be read.
    """
    finished = finished_stages(project.resolved())
    with tempfile.TemporaryDirectory(prefix="eagle-trial-") as folder:
        made = Project(Path(folder).resolve())
        _link(project.resolved(), made, finished)
        for stage in STAGES:
            if stage not in finished:
                print(f"trial: stage {stage}", file=sys.stderr, flush=True)
                with contextlib.redirect_stdout(sys.stderr):
                    run_stage(stage, with_absolute_files(config, project), made)
        yield made


def finished_stages(project: Project) -> list[str]:
    """Return the stages, up to the first stale one, that DVC calls up to date; none where DVC cannot say."""
    names = [*STAGES, ADAPTED]
    if not project.dvc_lock.exists():
        return []
    command = [sys.executable, "-m", "dvc", "status", "--json", *names]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    if done.returncode:
        return []
    stale = set(json.loads(done.stdout or "{}"))
    return list(takewhile(lambda name: name not in stale and all(p.exists() for p in outputs_of(project, name)), names))


def with_absolute_files(config: Config, project: Project) -> Config:
    """Return the parameters with the user's own files named from the root of the file system."""
    files = config.data.files
    paths = {name: getattr(files, name) for name in ("ratings", "items", "texts")}
    absolute = {name: str((project.root / path).resolve()) for name, path in paths.items() if path}
    data = config.data.model_copy(update={"files": files.model_copy(update=absolute)})
    return config.model_copy(update={"data": data})


def outputs_of(project: Project, stage: str) -> Sequence[Path]:
    """Return what the trial reads of a stage's outputs."""
    return {
        "models": (project.llm, project.text_model),
        "fetch": (project.catalogue,),
        "validate": (project.validation,),
        "split": (project.splits,),
        "factors": (project.factors,),
        "describe": (project.descriptions,),
        "quality": (project.quality,),
        "encoder": (project.encoder, project.stage_metrics("encoder")),
        ADAPTED: (project.environment,),
    }[stage]


def _link(project: Project, made: Project, finished: Sequence[str]) -> None:
    """Fill ``made`` with links to whatever no stage will write there."""
    written = {path for stage in (*STAGES, ADAPTED) for path in outputs_of(project, stage)} | {project.checkpoints}
    kept = {path for stage in finished for path in outputs_of(project, stage)}
    for name in _MADE:
        (made.root / name).mkdir()
    found = [path for path in project.root.iterdir() if path.name not in (*_MADE, *_LEFT_OUT)]
    for name in ("data", "models"):
        folder = project.root / name
        found += [path for path in folder.iterdir() if path not in written] if folder.is_dir() else []
    for path in [*found, *kept]:
        link = made.root / path.relative_to(project.root)
        link.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(path, link)
