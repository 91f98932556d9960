"""The agent behind MLflow's scoring server, and how a registered agent is found again."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowClient, artifacts
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel
from mlflow.types.schema import Array, ColSpec, DataType, Object, ParamSchema, ParamSpec, Property, Schema

from eagle.config import RegistryConfig
from eagle.core.errors import EagleError, user_error
from eagle.core.project import Project
from eagle.registry.store import is_there, resolve_uri
from eagle.serving.agent_files import AgentFiles

_STEP = [
    Property("step", DataType.long),
    Property("action", DataType.string),
    Property("text", DataType.string),
    Property("utility", DataType.double),
    Property("cause", DataType.string, required=False),
]
SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(DataType.string, "user"), ColSpec(DataType.string, "item")]),
    outputs=Schema(
        [
            ColSpec(DataType.string, "user"),
            ColSpec(DataType.string, "item"),
            ColSpec(DataType.string, "text"),
            ColSpec(DataType.double, "utility"),
            ColSpec(Array(Object(_STEP)), "trajectory"),
        ]
    ),
    params=ParamSchema([ParamSpec("seed", DataType.long, 0), ParamSpec("horizon", DataType.long, 0)]),
)


def borrowed_models(project: Project) -> tuple[Path, Path]:
    """Return the folders of the base and the sentence model: $EAGLE_BASE_MODEL and $EAGLE_TEXT_MODEL, else the
    project's.
    """
    return (
        Path(os.environ.get("EAGLE_BASE_MODEL") or project.llm),
        Path(os.environ.get("EAGLE_TEXT_MODEL") or project.text_model),
    )


class SteeringModel(PythonModel):
    """Answers rows of user and item with the text that the agent steers to, its utility and the way there."""

    def load_context(self, context: Any) -> None:
        from eagle.serving.steer import Steerer

        files = AgentFiles(Path(context.artifacts["agent"]), *borrowed_models(Project()))
        self.steerer = Steerer.load(files)

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return user, item, text, utility (SD of U) and trajectory (list of steps) for every row.

        ``params``: the seed of what is drawn, and the horizon (changes; 0: the agent's own).
        """
        pairs = list(zip(model_input["user"].astype(str), model_input["item"].astype(str), strict=True))
        try:
            found = self.steerer.steer(
                pairs, **{name: int((params or {}).get(name, 0)) for name in ("seed", "horizon")}
            )
        except EagleError as error:
            raise MlflowException(str(error), error_code=INVALID_PARAMETER_VALUE) from None
        kept = {prop.name for prop in _STEP}
        return pd.DataFrame(
            {
                "user": [t.user for t in found],
                "item": [t.item for t in found],
                "text": [t.text for t in found],
                "utility": [t.utility for t in found],
                "trajectory": [
                    [{k: v for k, v in asdict(step).items() if k in kept} for step in t.steps] for t in found
                ],
            }
        )


def open_agent(config: RegistryConfig, project: Project, agent: str) -> AgentFiles:
    """Return the files of ``champion``, of a ``models:/`` address, or of a local folder made by the register stage.

    Raises EagleError where there is no such agent.
    """
    folder = Path(agent)
    if (folder / "agent.json").exists():
        return AgentFiles(folder, *borrowed_models(project))
    address = f"models:/{config.model}@champion" if agent == "champion" else agent
    if not address.startswith("models:/"):
        raise user_error(
            f"there is no agent {agent!r}",
            expected="champion, a models:/ address, or a folder with an agent or adapter, such as "
            "models/agent/g_optimal",
            mend="run `make run` first",
        )
    return AgentFiles(download(config, project, address), *borrowed_models(project))


def download(config: RegistryConfig, project: Project, address: str) -> Path:
    """Return a folder with the files of a registered agent."""
    uri = resolve_uri(config.tracking_uri, project.root)
    if not is_there(uri):
        raise user_error(
            f"{address} is not in the registry", found=f"no store at {uri}", mend="run `make run` or `dvc repro` first"
        )
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        return Path(artifacts.download_artifacts(artifact_uri=f"{address}/artifacts/agent"))
    except MlflowException as error:
        raise user_error(
            f"{address} is not in the registry", found=error, mend="run `make run` or `eagle stage register`"
        ) from None


def champion_version(client: MlflowClient, model: str) -> Any | None:
    """Return the model version that has the alias champion; None where there is none."""
    try:
        return client.get_model_version_by_alias(model, "champion")
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
