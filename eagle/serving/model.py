"""The agent behind MLflow's scoring server: what a registered model's file imports."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.environment_variables import MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.protos.databricks_pb2 import DEADLINE_EXCEEDED, INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel
from mlflow.types.schema import Array, ColSpec, DataType, Object, ParamSchema, ParamSpec, Property, Schema

from eagle.core.errors import EagleError
from eagle.core.project import Project
from eagle.serving.agent_files import AgentFiles, borrowed_models
from eagle.serving.bounds import RequestParameters, asked_for
from eagle.serving.searching import own_search
from eagle.serving.spans import experiment_for_traces, write_trace
from eagle.serving.steer import Steerer
from eagle.serving.trajectories import ServedTrajectory
from eagle.serving.turns import OutOfTime, noted, time_limit

#: Of the time after which MLflow's server answers for us, and ends no work: the rest is for a last call and the answer.
SHARE = 0.9
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
    params=ParamSchema(
        [
            ParamSpec("seed", DataType.long, 0),
            ParamSpec("horizon", DataType.long, 0),
            ParamSpec("budget", DataType.long, 0),
            ParamSpec("trace", DataType.boolean, False),
        ]
    ),
)


class SteeringModel(PythonModel):
    """Answers rows of user and item with the text that the agent steers to, its utility and the way there."""

    def load_context(self, context: Any) -> None:
        files = AgentFiles(Path(context.artifacts["agent"]), *borrowed_models(Project()))
        self.steerer = Steerer.load(files)
        self.searcher = own_search(files.config(), files, self.steerer)
        self.experiment = files.config().registry.experiment

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return user, item, text, utility (SD of U) and trajectory (list of steps) for every row.

        ``params``: the seed of what is drawn; the horizon (changes; 0: the agent's own); the budget (texts, of which
        the best is kept; 0: one episode as it comes); whether the way to the answer is written to MLflow as a trace.
        """
        pairs = list(zip(_ids(model_input["user"]), _ids(model_input["item"]), strict=True))
        with _told(), time_limit(_seconds()):
            asked = asked_for(pairs, params, self.steerer.horizon)
            found = self._traced(pairs, asked) if asked.trace else self._answer(pairs, asked)
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

    def _answer(self, pairs: Sequence[tuple[str, str]], asked: RequestParameters) -> list[ServedTrajectory]:
        if asked.budget:
            return self.searcher.search(pairs, budget=asked.budget, seed=asked.seed)
        return self.steerer.steer(pairs, seed=asked.seed, horizon=asked.horizon)

    def _traced(self, pairs: Sequence[tuple[str, str]], asked: RequestParameters) -> list[ServedTrajectory]:
        """Answer, and write the way there to the store and experiment of the surroundings, else the agent's own."""
        experiment = experiment_for_traces(os.environ.get("MLFLOW_EXPERIMENT_NAME", self.experiment))
        with noted() as turns:
            found = self._answer(pairs, asked)
        write_trace(
            "request",
            turns,
            {"rows": [{"user": user, "item": item} for user, item in pairs], **asdict(asked)},
            {"answers": [{"text": one.text, "utility": one.utility} for one in found]},
            experiment=experiment,
            tags={"eagle.kind": "request"},
        )
        return found


def _ids(column: pd.Series) -> list[str]:
    """Return ids as texts; a missing one is empty, which no item is called."""
    return [str(name) for name in column.astype(object).where(column.notna(), "")]


def _seconds() -> float | None:
    """Return how long a request may take behind MLflow's server, which says so; None elsewhere."""
    limit = MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT
    return SHARE * limit.get() if limit.is_set() else None


@contextmanager
def _told() -> Iterator[None]:
    """Turn a mistake in a request into an answer with status 400, and one that took too long into status 504."""
    try:
        yield
    except OutOfTime as error:
        raise MlflowException(str(error), error_code=DEADLINE_EXCEEDED) from None
    except EagleError as error:
        raise MlflowException(str(error), error_code=INVALID_PARAMETER_VALUE) from None
