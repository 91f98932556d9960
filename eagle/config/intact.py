"""Whether what a stage reads is what the stage before it left, byte by byte.

DVC takes a file for unchanged while its time and size are; a disk that changes a byte changes neither. Under DVC
every stage therefore compares what it reads with the hashes in dvc.lock [M: .6 s for 270 MB, of processor time].
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from eagle.config.root import Config
from eagle.config.stages import STAGES, all_instances
from eagle.core.artifacts import md5_of
from eagle.core.errors import EagleError, Problem
from eagle.core.parent import run_by_dvc
from eagle.core.project import Project
from eagle.core.repository import LockedFile, LockedStage, read_stages


def require_intact(stage: str, config: Config, project: Project, locked: Mapping[str, LockedStage]) -> None:
    """Raise EagleError with every output that a stage, by its full name, reads and that is not as dvc.lock has it.

    A stage that is run by hand may read what was changed by hand: then nothing is compared. ``locked``: the stages in
    dvc.lock.
    """
    if not run_by_dvc():
        return
    wrong = [
        (maker, out)
        for maker, out in _read_by(stage, config, project, locked)
        if _hash(project.root / out["path"]) != out["md5"]
    ]
    if wrong:
        raise EagleError(_damaged(maker, out, project) for maker, out in wrong)


def _read_by(
    stage: str, config: Config, project: Project, locked: Mapping[str, LockedStage]
) -> Iterator[tuple[str, LockedFile]]:
    """Yield (its stage, entry of dvc.lock) of each output at or below a path that the stage reads.

    dvc.lock keeps the entries of stages that there are no more, such as those of an arm that has left params.yaml.
    """
    group, _, item = stage.partition("@")
    present, instances = read_stages(project.dvc_yaml), all_instances(config)
    ours = {stage.name for stage in STAGES}
    body = present.get(group, {})
    read = [str(path).replace("${item}", item) for path in body.get("do", body).get("deps", [])]
    for maker, made in locked.items():
        kind = maker.split("@")[0]
        if kind not in present or (kind in ours and maker not in instances):
            continue
        for out in made.get("outs", []):
            if any(Path(out["path"]).is_relative_to(path) for path in read) and out.get("hash") == "md5":
                yield maker, out


def _hash(path: Path) -> str:
    """Return the hash that DVC gives to a file, or to a folder: that of the list of its files."""
    if not path.is_dir():
        return md5_of(path) if path.exists() else "absent"
    files = [file for file in path.rglob("*") if file.is_file()]
    entries = [{"md5": md5_of(file), "relpath": file.relative_to(path).as_posix()} for file in files]
    listed = json.dumps(sorted(entries, key=lambda entry: entry["relpath"]), sort_keys=True)
    return f"{hashlib.md5(listed.encode(), usedforsecurity=False).hexdigest()}.dir"


def _damaged(maker: str, out: LockedFile, project: Project) -> Problem:
    """Return what to say; a copy that is damaged too has to go, or DVC would bring it back."""
    gone = " and ".join(map(str, [out["path"], *_damaged_copies(project.dvc_cache, out["md5"])]))
    return Problem(
        f"{out['path']} is not what the stage {maker} left",
        found="other bytes than dvc.lock tells of",
        mend=f"delete {gone}, then run the same command again; if the change was meant: `dvc commit {maker}`",
    )


def _damaged_copies(cache: Path, md5: str) -> list[Path]:
    """Return the files of DVC's cache, among those of an output, whose bytes do not have the hash that names them."""
    copy = cache / md5[:2] / md5[2:]
    if not copy.exists():
        return []
    if md5_of(copy) != md5.removesuffix(".dir"):
        return [copy]
    entries = json.loads(copy.read_bytes()) if copy.suffix == ".dir" else []
    return [damaged for entry in entries for damaged in _damaged_copies(cache, entry["md5"])]
