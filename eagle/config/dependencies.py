"""What decides a stage's result beside its parameters and inputs, as ``dvc.yaml`` names it to DVC: the code that its
imports reach, and the user's own files and parts that params.yaml names.

``python -m eagle.config.dependencies`` writes both into ``dvc.yaml``.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from textwrap import wrap
from typing import Any

from eagle.config.base import Section
from eagle.config.environment import EMBEDDED
from eagle.config.installed import CODE
from eagle.config.load import load_config
from eagle.config.root import Config
from eagle.config.stages import STAGES, Stage
from eagle.core.artifacts import complete_or_absent
from eagle.core.code import ROOT, file_of, reached, read_beside
from eagle.core.project import Project
from eagle.core.repository import stages_in

DECIDES_NOTHING: Mapping[str, str] = {
    "eagle.config": "carries parameters: dvc.yaml names each that a stage reads, and params.yaml holds every default",
    "eagle.core.artifacts": "carries files: what is read is what was written (tests/core/test_artifacts.py)",
    "eagle.core.code": "says which code decides a text, so that a kept text is used or written again, the same",
    "eagle.core.commands": "names commands in messages",
    "eagle.core.costs": "counts seconds, memory and tokens, which differ from run to run",
    "eagle.core.errors": "words of errors: a stage that raises one has no result",
    "eagle.core.folders": "says where files lie in folders that dvc.yaml names as outputs and inputs",
    "eagle.core.live": "says to who follows a stage what it has computed",
    "eagle.core.parent": "ends a stage with the process that runs it",
    "eagle.core.progress": "draws a bar on standard error",
    "eagle.core.project": "says where files lie: dvc.yaml names the same paths as outputs and inputs",
    "eagle.core.telemetry": "switches the telemetry of libraries off",
    "eagle.core.workspace": "finds the project of a temporary workspace, for what is kept and not for what is made",
    "eagle.engine.identity": "tells kept texts apart, so that one is used or written again, the same",
    "eagle.compute.sharding": "carries questions to workers and answers back; their cut is compute.cutting's",
    "eagle.compute.workers": "asks the worker that is this process, one question after the other",
    "eagle.compute.ray_workers": "runs the same workers elsewhere, same answers (tests/compute/test_ray.py)",
}
"""Modules and packages on which no result depends, each with its reason: changing one makes no stage stale."""
_MARK = "  # named in params.yaml"
_OWN_PART = re.compile(r"([A-Za-z_]\w*(?:\.\w+)*):[A-Za-z_]\w*")
_ENCODER = "eagle.latent.encoders"


def decides(module: str) -> bool:
    """Say whether a change of a module can change a result."""
    return not any(module == name or module.startswith(f"{name}.") for name in DECIDES_NOTHING)


def code_dependencies(stage: Stage, root: Path = ROOT) -> list[str]:
    """Return the files that decide the stage's result, relative to ``root``: a folder where they all do."""
    modules = {module for module in reached(stage.module, root) if decides(module)}
    files = {path for module in modules for path in (file_of(module, root), *read_beside(module, root)) if path}
    return sorted(path.relative_to(root).as_posix() for path in _folded(files, root / "eagle"))


def _folded(files: set[Path], folder: Path) -> set[Path]:
    """Return the files with whole folders in the place of all that lies in them."""
    found: set[Path] = set()
    for inner in sorted(path for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"):
        own = {path for path in files if path.is_relative_to(inner)}
        if own and own >= _telling(inner, files):
            found.add(inner)
        elif own:
            found |= _folded(own, inner)
    return found | {path for path in files if path.parent == folder}


def _telling(folder: Path, known: set[Path]) -> set[Path]:
    """Return all files of a folder but the marks of packages that only hold a docstring."""
    inside = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    whole = {path for path in known if path.is_dir()}
    return {path for path in inside if not _is_mark(path) and not any(path.is_relative_to(entry) for entry in whole)}


def _is_mark(path: Path) -> bool:
    if path.name != "__init__.py":
        return False
    lines = re.sub(r'^""".*?"""', "", path.read_text(encoding="utf-8"), count=1, flags=re.DOTALL)
    return not lines.replace("from __future__ import annotations", "").strip()


def own_dependencies(stage: Stage, config: Config, root: Path) -> list[str]:
    """Return what params.yaml names of the user's own and the stage reads: files of data, models, modules of parts."""
    named: list[str] = []
    if stage.name == "fetch" and config.data.source == "files":
        files = config.data.files
        named += [path for path in (files.ratings, files.items, files.texts) if path]
    named += _own_models(stage, config, root)
    values: list[Any] = [getattr(config, section) for section in stage.sections]
    if ":" in config.encoder.kind and _ENCODER in reached(stage.module):
        values.append(config.encoder.kind)  # who opens the encoder need not read its section
    named += [file.relative_to(root).as_posix() for file in own_modules(values, root)]
    return list(dict.fromkeys(path for path in named if (root / path).exists()))


def own_modules(values: Any, root: Path) -> list[Path]:
    """Return the files below ``root`` of the user's own parts (``my_module:Mine``) that values of parameters name."""
    parts = filter(None, map(_OWN_PART.fullmatch, _texts(values)))
    files = [file_of(part[1], root) for part in parts if not part[1].startswith("eagle.")]
    return [file for file in dict.fromkeys(files) if file]


def _own_models(stage: Stage, config: Config, root: Path) -> list[str]:
    """Return the local language model that the stage reads, relative to ``root`` where it lies below."""
    models = {
        "models": config.llm.model if config.llm.model != EMBEDDED else None,
        "evaluate": config.evaluate.other_model,
    }
    model = models.get(stage.name)
    if not model:
        return []
    path = root / Path(model).expanduser()
    return [(path.relative_to(root) if path.is_relative_to(root) else path).as_posix()]


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts among the values of sections."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Section):
        yield from _texts([getattr(value, name) for name in type(value).model_fields])
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, Iterable):
        for entry in value:
            yield from _texts(entry)


def with_dependencies(text: str, code: Mapping[str, list[str]] | None, own: Mapping[str, list[str]]) -> str:
    """Return dvc.yaml with these dependencies, by stage; without ``code`` those on code stay as they are."""
    stages = stages_in(text, Path("dvc.yaml"))
    fixed = _fixed(stages, text)
    lines: list[str] = []
    stage, indent, inside = "", "", False
    for line in [*text.splitlines(), ""]:
        if inside and not line.startswith((f"{indent} ", f"{indent}]", f"{indent}-")):
            inside = False
        if inside:
            continue
        if head := re.fullmatch(r"  (\w+):", line):
            stage = head[1]
        if re.match(r" +deps:", line):
            inside, indent = True, line[: line.index("deps")]
            before = stages[stage].get("do", stages[stage])["deps"]
            kept = [path for path in before if path in fixed]
            mine = [path for path in own.get(stage, []) if path not in fixed]  # DVC refuses a path that stands twice
            lines += _deps(kept, code[stage] if code else None, mine, indent)
        else:
            lines.append(line)
    return "\n".join(lines[:-1]) + "\n"


def _fixed(stages: Mapping[str, Any], text: str) -> set[str]:
    """Return what stages depend on whatever params.yaml names."""
    named = set(re.findall(rf'^ *(".*"),{_MARK}$', text, flags=re.MULTILINE))
    every = {path for stage in stages.values() for path in stage.get("do", stage).get("deps", [])}
    return {path for path in every if json.dumps(path, ensure_ascii=False) not in named}


def _deps(before: list[str], code: list[str] | None, own: list[str], indent: str) -> list[str]:
    """Return the lines of one list: inputs, then code room by room, then what is the user's own."""
    is_code = [path.startswith(("eagle/", f"{CODE}/")) for path in before]
    inputs = [path for path, coded in zip(before, is_code, strict=True) if not coded]
    code = [path for path, coded in zip(before, is_code, strict=True) if coded] if code is None else code
    rooms = [list(paths) for _, paths in groupby(code, lambda path: path.split("/")[1])]
    lines = [f"{indent}deps: ["]
    for paths in [inputs, *rooms]:
        entries = [json.dumps(path) if "$" in path else path for path in paths]
        lines += (
            wrap(
                ", ".join(entries) + ",",
                118,
                initial_indent=f"{indent}  ",
                subsequent_indent=f"{indent}    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            if entries
            else []
        )
    lines += [f"{indent}  {json.dumps(path, ensure_ascii=False)},{_MARK}" for path in own]
    return [*lines, f"{indent}]"]


def name_own_files(config: Config, project: Project, *, code: bool = False) -> bool:
    """Write into dvc.yaml what params.yaml names of the user's own, with ``code`` also what imports reach.

    Returns whether dvc.yaml has changed; a project without the file is left alone.
    """
    path = project.dvc_yaml
    if not path.exists():
        return False
    before = path.read_text(encoding="utf-8")
    reaching = {stage.name: code_dependencies(stage) for stage in STAGES} if code else None
    own = {stage.name: own_dependencies(stage, config, project.root.resolve()) for stage in STAGES}
    after = with_dependencies(before, reaching, own)
    if after != before:
        with complete_or_absent(path) as draft:
            draft.write_text(after, encoding="utf-8")
    return after != before


if __name__ == "__main__":
    changed = name_own_files(load_config(), Project(), code=True)
    print("dvc.yaml " + ("names other dependencies now" if changed else "names all dependencies already"))
    sys.exit(0)
