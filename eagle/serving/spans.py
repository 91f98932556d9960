"""An episode as an MLflow trace: the agent, the environment and the encoder as spans."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import mlflow
from mlflow.entities import SpanType
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from eagle.core.errors import user_error
from eagle.core.patience import soon
from eagle.serving.turns import TurnTaken

_TYPES = {"agent": SpanType.AGENT, "environment": SpanType.LLM, "encoder": SpanType.EMBEDDING}


def experiment_for_traces(name: str) -> str | None:
    """Return the id of an experiment in the store that MLflow is set to; None where it has none, which is MLflow's
    default.

    EagleError where no store is named, or where it does not answer within seconds.
    """
    if not mlflow.is_tracking_uri_set():
        raise user_error(
            "a trace was asked for, and no MLflow store is named",
            mend="set MLFLOW_TRACKING_URI where the agent is served, or leave out trace",
        )
    try:
        with soon():
            known = mlflow.get_experiment_by_name(name)
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise user_error(
            "a trace was asked for, and the MLflow store does not answer",
            found=" ".join(str(error).split())[:300],
            expected="the store that MLFLOW_TRACKING_URI names where the agent is served",
            mend="start it, or leave out trace",
        ) from None
    return known.experiment_id if known else None


def write_trace(
    name: str,
    turns: Sequence[TurnTaken],
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    *,
    experiment: str | None,
    tags: Mapping[str, str],
    run: str | None = None,
) -> str:
    """Write one trace into the store that MLflow is set to; return its id.

    ``experiment`` is an id, None for MLflow's default; ``run`` is the run that the trace is shown with. Turns without
    times are shown one microsecond after the other: MLflow puts spans in the order of their starts.
    """
    now = time.time_ns()
    times = [
        (turn.began, turn.ended) if turn.began else (now + 1000 * n, now + 1000 * (n + 1))
        for n, turn in enumerate(turns)
    ]
    root = mlflow.start_span_no_context(
        name,
        span_type=SpanType.CHAIN,
        inputs=dict(inputs),
        tags=dict(tags),
        metadata={"mlflow.sourceRun": run} if run else None,
        experiment_id=experiment,
        start_time_ns=min((began for began, _ in times), default=now),
    )
    for turn, (began, ended) in zip(turns, times, strict=True):
        span = mlflow.start_span_no_context(
            turn.who,
            span_type=_TYPES[turn.who],
            parent_span=root,
            inputs=turn.inputs,
            start_time_ns=began,
        )
        span.end(outputs=turn.outputs, end_time_ns=ended)
    root.end(outputs=dict(outputs), end_time_ns=max((ended for _, ended in times), default=now))
    return str(root.trace_id)
