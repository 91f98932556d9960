"""Open trained policies as agents."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from eagle.artifacts import read_table
from eagle.llm.base import LanguageModel
from eagle.policies.adapters import check_base
from eagle.policies.agents import EngineScorer, LoraAgent
from eagle.policies.listed import ListedActions
from eagle.project import Project


def open_agent(
    adapter: Path,
    project: Project,
    model: LanguageModel,
    *,
    name: str,
    temperature: float,
    top_p: float = 1.0,
    repeat: bool = False,
    history: int = 2,
    mode: Literal["free", "listed"] = "free",
    profiles: dict[str, str] | None = None,
) -> LoraAgent:
    """Return the agent that acts by an adapter folder (``project.agent(arm)`` or ``project.reference(name)``).

    ``history`` is ``reference.history`` of the run that trained it, ``repeat`` its ``train.repeat_actions``. ``profiles`` (user -> short
    profile) replaces the project's own.
    """
    check_base(adapter, project.llm)
    if profiles is None:
        table = read_table(project.profiles, "profiles")
        profiles = dict(zip(table["user"].astype(str), table["short"], strict=True))
    listed = ListedActions.load(project.actions)
    return LoraAgent(name, model, adapter, listed, profiles, EngineScorer(model), temperature, top_p, repeat, history, mode)
