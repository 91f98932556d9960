"""Run every arm on the same cases, side by side.

1. Scores x_H: the text after H changes, which the paper's text and figures use (its index says H-1).
2. All arms advance together. A generated text depends on the text before it, the action and the seed alone, so two arms
   that do the same see the same text, it is generated once, and differences between arms are paired differences.
3. Agents draw with a seed of case and step, the same for every arm (common random numbers).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from eagle.actions.candidate_list import is_in
from eagle.methods.base import Seeds

if TYPE_CHECKING:
    from eagle.environment.steering import Case, Observation, SteeringEnvironment, StepResult
    from eagle.methods.acting import Actors

ANCHOR = "anchor"


def _row(arm: str, before: Observation, **values: Any) -> dict[str, Any]:
    return {"arm": arm, "case": before.case, "anchor": before.anchor, "user": before.user, **values}


def anchor_rows(arm: str, observations: Sequence[Observation]) -> list[dict[str, Any]]:
    """Return step 0 of every case: the anchor's own text, which nobody wrote."""
    return [
        _row(arm, o, step=0, action="", text=o.text, valid=True, cause=None, copied=False, seed=0, duplicate=False)
        for o in observations
    ]


def step_row(arm: str, before: Observation, action: str, step: StepResult, seed: int) -> dict[str, Any]:
    """Return the row of one change; a failed one keeps the text before it."""
    return _row(
        arm,
        before,
        step=before.step + 1,
        action=action,
        text=before.text if step.cause is not None else step.observation.text,
        valid=step.cause is None,
        cause=step.cause,
        copied=bool(step.copied),
        seed=seed,
        duplicate=is_in(action, before.history),
    )


def roll_out(
    environment: SteeringEnvironment, cases: Sequence[Case], actors: Actors, horizon: int, seed: int
) -> tuple[pd.DataFrame, dict[str, Counter[str]]]:
    """Return one row per arm, case and step (0 to H), arm `anchor` (step 0 only) first; no utilities yet.

    The second value is what agents counted about their own actions, by arm.

    The environment holds one episode of ``horizon`` changes per arm and case, in that order, and takes actions for
    those that are not done.
    """
    width, names, drawn = len(cases), list(actors.names), Seeds(seed)
    observations = environment.reset(list(cases) * len(names), seed, horizon)
    owners = [index // width for index in range(len(observations))]
    rows = anchor_rows(ANCHOR, observations[:width])
    for index, name in enumerate(names):
        rows += anchor_rows(name, observations[index * width : (index + 1) * width])
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    for step in range(horizon):
        seeds = [drawn.of(o.case, step) for o in observations]
        seen = {}
        for index, name in enumerate(names):
            mine = slice(bisect_left(owners, index), bisect_right(owners, index))
            seen[name] = (observations[mine], seeds[mine])
        done = actors.act(seen)
        actions = [action for name in names for action in done[name][0]]
        for name in names:
            counts[name] += done[name][1]
        steps = environment.step(actions)
        for owner, before, action, after, own in zip(owners, observations, actions, steps, seeds, strict=True):
            rows.append(step_row(names[owner], before, action, after, own))
        owners = [owner for owner, after in zip(owners, steps, strict=True) if not after.done]
        observations = [after.observation for after in steps if not after.done]
    return pd.DataFrame(rows).astype({"cause": object}), counts


def stopped_early(trajectories: pd.DataFrame, arm: str, name: str, steps: int) -> pd.DataFrame:
    """Return the rows of ``arm`` as another arm that stops after ``steps`` changes: it needs no texts of its own."""
    return trajectories[(trajectories["arm"] == arm) & (trajectories["step"] <= steps)].assign(arm=name)
