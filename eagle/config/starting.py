"""The files of a new project folder, for an installed package without a checkout (``eagle init``)."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from eagle.config.dependencies import own_dependencies, with_dependencies
from eagle.config.installed import CODE, PIPELINE, SCHEDULES, stamp, write_code
from eagle.config.parameters import params_yaml
from eagle.config.root import Config
from eagle.config.stages import STAGES
from eagle.core.errors import user_error

_IGNORED = "/data/\n/models/\n/reports/\n/dvc_plots/\n/mlruns/\n.cache/\n.prefect/\n.venv/\n__pycache__/\n"
_NOT_WATCHED = "__pycache__\n.venv\nmlruns/*\n!mlruns/registered.json\n.prefect\n.cache\n"
_README = """\
# A catalogue for EAGLE

    eagle check                 # is everything there? what was read?
    eagle check --trial         # in minutes: does the model write, does the encoder rank, are there people to judge?
    dvc repro                   # bring everything up to date
    python -m flows.pipeline    # the same through Prefect; prefect.yaml holds schedules

`params.yaml` holds all parameters. `code/` says to DVC which code decides each stage. After a new version of the
package, `eagle check` (or the pipeline) renews it, and `dvc repro` runs anew the stages whose code has changed.
"""
_PREFECT = "[server]\nanalytics_enabled = false\n"
_GIT = ("git", "init", "-q")
_PLOTS = "plots.html"
_DVC = (
    ("dvc", "init", "-q"),
    ("dvc", "config", "core.analytics", "false"),
    ("dvc", "config", "plots.html_template", f"../{_PLOTS}"),
)


def start_project(folder: Path, config: Config, notes: Mapping[str, str]) -> list[str]:
    """Write the files of a new project; return their names.

    ``notes`` maps a key of the section ``data`` to what its line in params.yaml says of it beside. Raises
    :class:`~eagle.core.errors.EagleError`, and writes nothing, where one of the files is there already.
    """
    own = {stage.name: own_dependencies(stage, config, folder.resolve()) for stage in STAGES}
    stamps = {stage.name: [stamp(stage.name)] for stage in STAGES}
    texts = {
        "params.yaml": _noted(params_yaml(config), notes),
        "dvc.yaml": with_dependencies(PIPELINE.read_text(encoding="utf-8"), stamps, own),
        "prefect.yaml": _by_module(SCHEDULES.read_text(encoding="utf-8")),
        "prefect.toml": _PREFECT,
        _PLOTS: Path(__file__).with_name(_PLOTS).read_text(encoding="utf-8"),
        ".gitignore": _IGNORED,
        ".dvcignore": _NOT_WATCHED,
        "README.md": _README,
    }
    if folder.exists() and not folder.is_dir():
        raise user_error(f"{folder} is a file", expected="a folder, or a new name")
    there = [name for name in [*texts, CODE] if (folder / name).exists()]
    if there:
        raise user_error(
            f"{folder} holds a project already", found=", ".join(there), mend="name another folder: none is overwritten"
        )
    try:
        write_code(folder)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise user_error(
            f"{folder} cannot be written", found=error, mend="name a folder in which you may write, with room"
        ) from None
    return [*texts, f"{CODE}/"]


def start_repository(folder: Path) -> list[str]:
    """Begin a repository of git and DVC where the folder lies in none; return what was done, or is left to do.

    A DVC project above is another one: it does not know this folder's dvc.yaml.
    """
    if (folder / ".dvc").is_dir():
        return []
    above = [folder.resolve(), *folder.resolve().parents]
    commands: list[tuple[str, ...]]
    if any((path / ".git").exists() for path in above):
        commands = [(*_DVC[0], "--subdir"), *_DVC[1:]]
        why = f"{folder} lies in a repository of git already"
    else:
        commands = [_GIT, *_DVC]
        absent = [tool for tool, there in (("git", shutil.which("git")), ("dvc", find_spec("dvc"))) if not there]
        failed = "" if absent else _failure(commands, folder)
        if not absent and not failed:
            return ["began a repository of git and DVC there"]
        why = failed or f"{' and '.join(absent)} not installed"
    there = [("cd", shlex.quote(str(folder))), *commands]
    return [f"no repository was begun ({why}): run {' && '.join(map(' '.join, there))}"]


def _failure(commands: list[tuple[str, ...]], folder: Path) -> str:
    """Run the commands up to the first that fails; return its last line."""
    for command in commands:
        here = [sys.executable, "-m", *command] if command[0] == "dvc" else list(command)
        ran = subprocess.run(here, cwd=folder, capture_output=True, text=True, check=False)
        if ran.returncode:
            return (ran.stderr.strip().splitlines() or [f"{command[0]} failed without a word"])[-1]
    return ""


def _by_module(text: str) -> str:
    """Return prefect.yaml with flows named by their module, since their files lie outside the folder."""
    return re.sub(r"entrypoint: flows/(\w+)\.py:", r"entrypoint: flows.\1.", text)


def _noted(text: str, notes: Mapping[str, str]) -> str:
    """Return params.yaml with a word behind the lines of the section ``data`` that were guessed."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        if line and not line.startswith((" ", "#")):
            inside = line.startswith("data:")
        note = notes.get(line.split(":")[0].strip()) if inside and line.startswith(" ") else None
        lines.append(f"{line} [{note}]" if note else line)
    return "\n".join(lines) + "\n"
