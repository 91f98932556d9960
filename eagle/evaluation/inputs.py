"""What the evaluation reads, by its content: what was run on what can be told afterwards."""

from __future__ import annotations

from pathlib import Path

from eagle.config import Config
from eagle.core.artifacts import content_hash
from eagle.core.project import Project
from eagle.environment.adapted import kept_adapter


def input_hashes(config: Config, project: Project) -> dict[str, str]:
    """Return the content hashes of what the evaluation reads, by name; not of splits and of the exploration design."""
    folders = {
        "catalogue": project.catalogue,
        "descriptions": project.descriptions,
        "quality": project.quality,
        "profiles": project.profiles,
        "actions": project.actions,
        "transitions": project.transitions,
        "encoder": project.encoder,
        "environment model": project.llm,
    }
    if (adapter := kept_adapter(project.environment)) is not None:
        folders["environment adapter"] = adapter
    folders |= {f"reference {name}": project.reference(name) for name in config.reference.names}
    if config.evaluate.other_model:
        folders["other environment model"] = Path(config.evaluate.other_model)
    if "elm" in (*config.evaluate.methods, *config.evaluate.budgets.methods):
        folders["ELM's adapter"] = project.elm
    folders |= {f"agent {arm}": project.agent(arm) for arm in config.train.arms}
    return {name: content_hash(folder) for name, folder in folders.items()}
