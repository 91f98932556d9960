"""Some held-out episodes of the registered agent as MLflow traces: what it saw, what it did, what came of it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import mlflow
import numpy as np
import pandas as pd

from eagle.core.project import Project
from eagle.evaluation.stored import read_trajectories
from eagle.registry.new_agent import NewAgent
from eagle.registry.store import Store
from eagle.serving.spans import write_trace
from eagle.serving.turns import TurnTaken

_JUDGED = ("utility", "user_preference", "user_choice", "distance", "shelf_stars")


def log_traces(project: Project, store: Store, agent: NewAgent, run: str, most: int) -> list[str]:
    """Write up to ``most`` episodes of the agent, from the smallest gain in U to the largest; return the traces' ids.

    They come from the evaluation's table, which has no times of single episodes: all cases are played at once.
    """
    table = read_trajectories(project.trajectories)
    mine = table[table["arm"] == agent.arm.name].sort_values(["case", "step"])
    gains = mine.groupby("case")["utility"].agg(lambda values: values.iloc[-1] - values.iloc[0]).sort_values()
    chosen = dict.fromkeys(np.linspace(0, len(gains) - 1, most).round().astype(int)) if most else {}
    found = [_trace(mine[mine["case"] == gains.index[place]], store, agent, run) for place in chosen]
    mlflow.flush_trace_async_logging()
    return found


def _trace(rows: pd.DataFrame, store: Store, agent: NewAgent, run: str) -> str:
    steps = [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]
    first, last = steps[0], steps[-1]
    turns = [turn for before, after in pairwise(steps) for turn in _turns(before, after)]
    return write_trace(
        f"{first['anchor']} for {first['user']}",
        turns,
        {"item": first["anchor"], "user": first["user"], "text": first["text"], "utility": first["utility"]},
        {"text": last["text"], "utility": last["utility"], "gain": last["utility"] - first["utility"]},
        experiment=store.experiment_id,
        tags={"eagle.kind": "evaluation", "eagle.arm": agent.arm.name, "eagle.case": str(first["case"])},
        run=run,
    )


def _turns(before: dict[str, Any], after: dict[str, Any]) -> list[TurnTaken]:
    """Return the three turns of one change."""
    wrote = {"text": after["text"], "cause": None} if after["valid"] else {"text": None, "cause": after["cause"]}
    judged = {name: after[name] for name in _JUDGED if name in after and pd.notna(after[name])}
    return [
        TurnTaken("agent", {"user": before["user"], "text": before["text"]}, {"action": after["action"]}),
        TurnTaken("environment", {"text": before["text"], "action": after["action"]}, wrote),
        TurnTaken("encoder", {"text": after["text"], "user": after["user"]}, judged),
    ]
