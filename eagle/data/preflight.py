"""The library side of ``eagle check``: surroundings, parameters and data, every problem at once."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from eagle.config import Config, load_config
from eagle.config.dependencies import name_own_files
from eagle.config.environment import EMBEDDED, HUB_ID
from eagle.config.takeover import takeover_line
from eagle.core.commands import install_everything
from eagle.core.errors import EagleError, Problem
from eagle.core.parts import load_part
from eagle.core.project import Project
from eagle.core.repository import conflicts, missing_repository, read_locked

if TYPE_CHECKING:
    from eagle.data.catalogue import Catalogue

DISK_GIB = 3.0
MEMORY_GIB = 6.0


def check_project(project: Project) -> list[str]:
    """Return one line for each thing that is fine; raise one EagleError that names everything that is not."""
    problems: list[Problem] = []
    fine: list[str] = []
    for part in (_surroundings, _repository, _lock, _parameters, _own_parts, _taken_over, _model, _data):
        try:
            fine += part(project)
        except EagleError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    if problems:
        raise EagleError(problems)
    return fine


def _require(*problems: Problem | None) -> None:
    """Raise what is wrong; None stands for what is fine."""
    wrong = [problem for problem in problems if problem is not None]
    if wrong:
        raise EagleError(wrong)


def _gib(name: str) -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf(name) / 2**30


def _surroundings(project: Project) -> list[str]:
    free = shutil.disk_usage(project.root).free / 2**30
    memory = _gib("SC_PHYS_PAGES")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    _require(
        None
        if free >= DISK_GIB
        else Problem("little disk space", f"{free:.1f} GiB free", f"{DISK_GIB:g} GiB", "free some space"),
        None
        if memory >= MEMORY_GIB
        else Problem("little memory", f"{memory:.1f} GiB", f"{MEMORY_GIB:g} GiB", "lower llm.batch_rows"),
        *(
            None
            if shutil.which(tool, path=path)
            else Problem(
                f"{tool} is not installed", mend=f"install git; {install_everything(project.root)} installs the rest"
            )
            for tool in ("git", "dvc")
        ),
        *conflicts(project.root),
    )
    python = ".".join(map(str, sys.version_info[:3]))
    return [f"surroundings: Python {python}, {os.cpu_count()} cores, {memory:.0f} GiB memory, {free:.0f} GiB disk free"]


def _repository(project: Project) -> list[str]:
    """Say what DVC lacks here; no error, since stages run without it."""
    missing = missing_repository(project.root)
    return [f"not ready for `dvc repro`: {missing.what}: {missing.mend}"] if missing else []


def _lock(project: Project) -> list[str]:
    path = project.requirements_lock
    if not path.exists():
        return []
    pins = dict(line.split("==") for line in path.read_text(encoding="utf-8").splitlines() if "==" in line)
    found = {name: _installed(name) for name in pins}
    mend = f"remove .venv, then {install_everything(project.root)}"
    _require(
        *(
            None if found[name] == pin else Problem(f"{name} is not as in {path}", found[name], pin, mend)
            for name, pin in pins.items()
        )
    )
    return [f"packages: all {len(pins)} as in requirements.lock"]


def _installed(name: str) -> str:
    try:
        return version(name).split("+")[0]
    except PackageNotFoundError:
        return "not installed"


def _parameters(project: Project) -> list[str]:
    load_config(project.params)
    written = yaml.safe_load(project.params.read_text(encoding="utf-8"))
    absent = [section for section in Config.model_fields if section not in written]
    _require(
        Problem(
            f"{project.params} lacks sections that dvc.yaml names",
            found=f"no {', '.join(absent)}",
            mend="`python -m eagle.config.parameters --keep` adds them with their defaults and keeps your values",
        )
        if absent
        else None
    )
    return [f"parameters: {len(written)} sections"]


def _own_parts(project: Project) -> list[str]:
    """Look for the parts of the user's own (but the source, which is read: _data); name their files in dvc.yaml."""
    config = load_config(project.params)
    named = (
        ("domain", config.domain.kind),
        ("encoder", config.encoder.kind),
        ("utility", config.utility.kind),
        ("engine", config.llm.engine),
        *(("method", kind) for kind in (*config.evaluate.methods, *config.evaluate.budgets.methods)),
        *(("judge", kind) for kind in config.evaluate.judges),
    )
    own = [(seam, kind) for seam, kind in dict.fromkeys(named) if kind and ":" in kind]
    problems: list[Problem] = []
    for seam, kind in own:
        try:
            load_part(seam, kind, {})
        except EagleError as error:
            problems += error.problems
    _require(*problems)
    changed = name_own_files(config, project)
    return [
        *([f"parts of your own: {', '.join(kind for _, kind in own)}"] if own else []),
        *(["dvc.yaml names your files now, so that DVC sees when they change"] if changed else []),
    ]


def _taken_over(project: Project) -> list[str]:
    line = takeover_line(project, read_locked(project.dvc_lock))
    return [line] if line else []


def _model(project: Project) -> list[str]:
    """Look for the language model where it is a file or folder; a hub id is only looked at."""
    model = load_config(project.params).llm.model
    path = Path(model).expanduser()
    if model == EMBEDDED or HUB_ID.match(model):
        return [f"language model: {model}"]
    _require(
        None
        if path.is_dir() or (path.is_file() and path.suffix == ".gguf")
        else Problem(
            "llm.model names no model that can be found",
            found=f"{model!r}: {'no such file or folder' if not path.exists() else 'a file that is no .gguf'}",
            expected="'embedded', an existing folder, a .gguf file, or a hub id with its revision: 'name/model@main'",
            mend="correct llm.model in params.yaml",
        )
    )
    return [f"language model: {model}"]


def _data(project: Project) -> list[str]:
    from eagle.data.catalogue import read_catalogue
    from eagle.data.checks import validate
    from eagle.data.fetch import filtered, load_source
    from eagle.data.overview import Overview

    config = load_config(project.params)
    catalogue: Catalogue
    seen: Overview | None
    if config.data.source == "files" or ":" in config.data.source:  # the user's own: nothing is downloaded
        catalogue, seen = filtered(load_source(config.data, project.root), config.data)
    elif project.catalogue.exists():
        catalogue = read_catalogue(project.catalogue)
        seen = Overview.read(project.catalogue_files.overview)
    else:
        return [f"data: {config.data.source} is not fetched yet"]
    with tempfile.TemporaryDirectory() as docs:
        checked = validate(catalogue, config.data.noun, Path(docs) / "docs")
    _require(_dimension(config, catalogue))
    rows = f"{len(catalogue.ratings)} ratings, {len(catalogue.items)} items"
    return [f"data: {rows}; {len(checked)} checks passed", *(seen.printed() if seen else [])]


def _dimension(config: Config, catalogue: Catalogue) -> Problem | None:
    """Return the problem of more factors than training items or users; the split is made as its stage does."""
    from eagle.data.splits import split_ratings, split_users, with_never_rated

    items = with_never_rated(catalogue, config.split, config.seed)
    parts = split_ratings(catalogue.ratings, items, config.split, config.seed)
    users = split_users(catalogue, items, parts, config.split, config.seed)
    trained = {name: int((table["split"] == "train").sum()) for name, table in (("items", items), ("users", users))}
    fewest = min(trained.values())
    if config.factors.dimension <= fewest:
        return None
    return Problem(
        "factors.dimension is larger than what the data bears",
        found=f"{config.factors.dimension} dimensions, {trained['items']} training items, {trained['users']} training "
        "users",
        expected=f"at most {fewest} dimensions",
        mend="lower factors.dimension in params.yaml, or use a larger catalogue",
    )
