"""What a project without a checkout needs of the installed package: the pipeline's definition, and which code it has.

Files of the package lie outside the project, so DVC cannot watch them. Instead each stage depends on
``code/STAGE.txt``, a hash of the files that ``dvc.yaml`` names for the stage in a checkout.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from eagle.config.stages import STAGES
from eagle.core.code import ROOT

PIPELINE, SCHEDULES = (Path(__file__).with_name(name) for name in ("pipeline.yaml", "schedules.yaml"))
"""The checkout's dvc.yaml and prefect.yaml, by links; not under their names, or DVC would find a second pipeline."""
CODE = "code"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def stamp(stage: str) -> str:
    """Return the file, relative to the project, that says which code decides the stage."""
    return f"{CODE}/{stage}.txt"


def write_code(root: Path) -> list[str]:
    """Write the stamps of all stages into a project; return the stages whose code is another than before."""
    (root / CODE).mkdir(parents=True, exist_ok=True)
    changed = []
    for name, digest in _hashes().items():
        path = root / stamp(name)
        if not path.exists() or path.read_text(encoding="utf-8") != digest:
            path.write_text(digest, encoding="utf-8")
            changed.append(name)
    return changed


def renew_code(root: Path) -> list[str]:
    """Do as :func:`write_code` where ``eagle init`` made the project; elsewhere do nothing."""
    return write_code(root) if (root / stamp(STAGES[0].name)).exists() else []


def _hashes() -> dict[str, str]:
    stages = yaml.load(PIPELINE.read_text(encoding="utf-8"), _LOADER)["stages"]
    hashes = {}
    for name, stage in stages.items():
        code = [ROOT / path for path in stage.get("do", stage)["deps"] if path.startswith("eagle/")]
        digest = hashlib.sha256("\n".join(_of_file(file) for path in code for file in _files(path)).encode())
        hashes[name] = digest.hexdigest()[:16] + "\n"
    return hashes


def _files(path: Path) -> Iterator[Path]:
    """Yield the file itself, or what lies in the folder."""
    inside = sorted(path.rglob("*")) if path.is_dir() else [path]
    yield from (file for file in inside if file.is_file() and "__pycache__" not in file.parts)


@cache
def _of_file(file: Path) -> str:
    return f"{file.relative_to(ROOT).as_posix()} {hashlib.sha256(file.read_bytes()).hexdigest()}"
