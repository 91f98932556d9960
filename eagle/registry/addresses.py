"""Which agent is meant: the one place that turns an address into an agent at work.

An address is ``champion``, a ``models:/`` address of the registry, a folder that the register stage packed, or the
folder of one of this project's own adapters, such as models/agent/g_optimal. MLflow is imported for the first two only,
and what opens an agent once one is found, so that a wrong address is told at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eagle.config import RegistryConfig, load_config
from eagle.core.commands import run_everything
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.engine.folders import check_model_folder
from eagle.policies.adapters import ADAPTER_NOTE, check_base
from eagle.registry.location import store_with
from eagle.serving.agent_files import NOTE, AgentFiles, borrowed_models

if TYPE_CHECKING:
    from eagle.serving.steer import Steerer

CHAMPION = "champion"


def open_steerer(project: Project, agent: str) -> Steerer:
    """Open the agent at an address; EagleError where there is none, or where its models are not the ones it needs."""
    config = load_config(project.params)
    if (Path(agent) / ADAPTER_NOTE).exists():  # one of this project's own, registered or not
        check_model_folder(project.llm, chat=True)
        check_base(Path(agent), project.llm)
        return _steerer().open(config, project, Path(agent))
    files = agent_files(config.registry, project, agent)
    return _steerer().load(files)


def _steerer() -> type[Steerer]:
    from eagle.serving.steer import Steerer

    return Steerer


def agent_files(config: RegistryConfig, project: Project, agent: str) -> AgentFiles:
    """Return the files of ``champion``, of a ``models:/`` address, or of a local folder made by the register stage.

    Raises EagleError where there is no such agent.
    """
    if (Path(agent) / NOTE).exists():
        return AgentFiles(Path(agent), *borrowed_models(project))
    address = f"models:/{config.model}@champion" if agent == CHAMPION else agent
    if not address.startswith("models:/"):
        raise user_error(
            f"there is no agent {agent!r}",
            expected="champion, a models:/ address, or a folder with an agent or adapter, such as "
            "models/agent/g_optimal",
            mend=f"run {run_everything(project.root)} first",
        )
    uri = store_with(address, config, project)
    from eagle.registry.store import download

    return AgentFiles(download(address, uri), *borrowed_models(project))
