"""An agent as files: everything but the weights of the language and sentence models, laid out like a project.

The base weights are named by id and hash and looked for where the agent is used; another base is an error.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eagle.config import Config, load_config
from eagle.config.parameters import params_yaml
from eagle.core.artifacts import content_hash, read_json, write_json
from eagle.core.errors import EagleError, Problem
from eagle.core.project import Project
from eagle.environment.adapted import kept_adapter

#: File that makes a folder a packed agent: its arm, and which models it borrows.
NOTE = "agent.json"


@dataclass(frozen=True)
class AgentFiles(Project):
    """A project that holds one agent; ``base`` and ``sentence`` are the model folders that it borrows."""

    base: Path = Path("models/llm")
    sentence: Path = Path("models/text_model")

    @property
    def llm(self) -> Path:
        return self.base

    @property
    def text_model(self) -> Path:
        return self.sentence

    @property
    def arm(self) -> str:
        return str(read_json(self.root / NOTE)["arm"])

    def config(self) -> Config:
        """Return the parameters under which the agent was made."""
        return load_config(self.params)

    def check(self) -> None:
        """Raise EagleError unless the agent's own files are as they were packed, and both borrowed folders hold exactly
        the weights that it was made with.
        """
        note = read_json(self.root / NOTE)
        problems = self._damaged()
        for what, folder, variable in (
            ("base", self.base, "EAGLE_BASE_MODEL"),
            ("sentence", self.sentence, "EAGLE_TEXT_MODEL"),
        ):
            found = content_hash(folder) if folder.is_dir() else "no such folder"
            if found != note[what]["hash"]:
                problems.append(
                    Problem(
                        f"{folder} is not the {what} model that this agent was made with",
                        found=found,
                        expected=f"{note[what]['id']}, hash {note[what]['hash']}",
                        mend=f"run `dvc repro models` with llm.model: {note['base']['id']}, or set {variable} to its "
                        f"folder",
                    )
                )
        if problems:
            raise EagleError(problems)

    def check_own(self) -> None:
        """Raise EagleError unless the agent's own files are as they were packed."""
        problems = self._damaged()
        if problems:
            raise EagleError(problems)

    def _damaged(self) -> list[Problem]:
        """Return what is not as the note says; an agent of an earlier version names no files there."""
        packed: Mapping[str, str] = read_json(self.root / NOTE).get("files", {})
        found = own_hashes(self.root)
        return [
            Problem(
                f"a file of the packed agent is not as it was packed: {self.root / name}",
                found=found.get(name, "no such file"),
                expected=f"hash {packed[name]}",
                mend="fetch the agent again from where it was registered, or register it anew: dvc repro -f register",
            )
            for name in sorted(packed)
            if found.get(name) != packed[name]
        ]


def own_hashes(folder: Path) -> dict[str, str]:
    """Return the hash of every file below ``folder`` but the note, by its path there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / NOTE)
    return {path.relative_to(folder).as_posix(): content_hash(path) for path in files}


def borrowed_models(project: Project) -> tuple[Path, Path]:
    """Return the folders of the base and the sentence model: $EAGLE_BASE_MODEL and $EAGLE_TEXT_MODEL, else the
    project's.
    """
    return (
        Path(os.environ.get("EAGLE_BASE_MODEL") or project.llm),
        Path(os.environ.get("EAGLE_TEXT_MODEL") or project.text_model),
    )


def pack_agent(config: Config, project: Project, arm: str, target: Path) -> AgentFiles:
    """Copy what an agent needs from the project into the folder ``target``, beside what is to be packed with it."""
    packed = AgentFiles(target, project.llm, project.text_model)
    for source, copy in (
        (project.agent(arm), packed.agent(arm)),
        (project.encoder, packed.encoder),
        (project.descriptions, packed.descriptions),
        (project.profiles, packed.profiles),
        (project.actions, packed.actions),
        (project.design_weights, packed.design_weights),
        (project.quality, packed.quality),
        (project.catalogue_files.items, packed.catalogue_files.items),
    ):
        copy.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, copy)
    if kept_adapter(project.environment) is not None:
        shutil.copytree(project.environment, packed.environment)
    packed.params.write_text(params_yaml(config), encoding="utf-8")
    write_json(
        target / NOTE,
        {
            "arm": arm,
            "files": own_hashes(target),
            "base": {"id": config.llm.model, "hash": content_hash(project.llm)},
            "sentence": {"id": "embedded", "hash": content_hash(project.text_model)},
        },
    )
    return packed
