"""A request that asks for a trace gets the same answer, and MLflow the way there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from eagle.config import RegistryConfig
from eagle.registry.store import Store
from tests.servers.conftest import free_port
from tests.serving.test_steer import Engine, steerer

if TYPE_CHECKING:
    from eagle.serving.model import SteeringModel

pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")  # MLflow's, at its import
ROWS = pd.DataFrame([{"user": "u0", "item": "i1"}])


@pytest.fixture
def model() -> SteeringModel:
    from eagle.serving.model import SteeringModel

    found = SteeringModel()
    found.steerer, found.experiment = steerer(Engine()), RegistryConfig().experiment
    return found


def test_who_worked_on_what_is_shown_in_true_order_and_time(mlflow_store: Store, model: SteeringModel) -> None:
    plain = model.predict(None, ROWS, {"seed": 3, "horizon": 2})
    traced = model.predict(None, ROWS, {"seed": 3, "horizon": 2, "trace": True})
    pd.testing.assert_frame_equal(traced, plain)
    mlflow.flush_trace_async_logging()
    (trace,) = MlflowClient(mlflow_store.uri).search_traces([mlflow_store.experiment_id])
    root, *turns = trace.data.spans
    assert root.inputs["rows"] == [{"user": "u0", "item": "i1"}]
    assert root.outputs["answers"][0]["text"] == plain["text"][0]
    names = [turn.name for turn in turns]
    assert names[:4] == ["agent", "environment", "agent", "environment"] and set(names[4:]) == {"encoder"}
    steps = plain["trajectory"][0]
    assert [turn.outputs["actions"] for turn in turns[:4:2]] == [[step["action"]] for step in steps[1:]]
    assert [turn.outputs["texts"] for turn in turns[1:4:2]] == [[step["text"]] for step in steps[1:]]
    times = [time for turn in turns for time in (turn.start_time_ns, turn.end_time_ns)]
    assert times == sorted(times) and times[0] < times[-1]


def test_who_does_not_ask_leaves_no_trace(mlflow_store: Store, model: SteeringModel) -> None:
    model.predict(None, ROWS, {"horizon": 1})
    mlflow.flush_trace_async_logging()
    assert MlflowClient(mlflow_store.uri).search_traces([mlflow_store.experiment_id]) == []


def test_a_store_that_does_not_answer_is_told_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch, model: SteeringModel
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(MlflowException, match="the MLflow store does not answer"):
        model.predict(None, ROWS, {"trace": True})
    engine = model.steerer.agent.model
    assert isinstance(engine, Engine) and engine.calls == 0


def test_a_request_without_rows_leaves_a_trace_without_answers(mlflow_store: Store, model: SteeringModel) -> None:
    assert model.predict(None, ROWS[:0], {"trace": True}).empty
    mlflow.flush_trace_async_logging()
    (trace,) = MlflowClient(mlflow_store.uri).search_traces([mlflow_store.experiment_id])
    assert trace.data.spans[0].outputs == {"answers": []}


def test_a_trace_without_a_store_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: SteeringModel
) -> None:
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(None)
    with pytest.raises(MlflowException, match="MLFLOW_TRACKING_URI"):
        model.predict(None, ROWS, {"trace": True})
    assert list(tmp_path.iterdir()) == []
