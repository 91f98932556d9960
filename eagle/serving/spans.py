"""An episode as an MLflow trace: the agent, the environment and the encoder as spans."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import mlflow
from mlflow.entities import SpanType

from eagle.serving.turns import TurnTaken

_TYPES = {"agent": SpanType.AGENT, "environment": SpanType.LLM, "encoder": SpanType.EMBEDDING}


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
