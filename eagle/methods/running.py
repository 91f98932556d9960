"""Run methods one by one on the cases of a comparison, as rows of its tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from eagle.actions.candidate_list import is_in
from eagle.core.errors import user_error
from eagle.environment.branching import BranchingEnvironment
from eagle.latent.text_utility import TextUtility
from eagle.methods.base import Candidate, Method, Seeds, Trajectory
from eagle.methods.rollout import anchor_rows

if TYPE_CHECKING:
    from eagle.environment.steering import Case, Writer


def run_method(
    method: Method, cases: Sequence[Case], budget: int, seed: int, writer: Writer, utility: TextUtility
) -> list[Trajectory]:
    """Return a method's trajectories; EagleError where they are not one per case, in order, with steps 1, 2, ..."""
    environment = BranchingEnvironment(writer, seed, budget)
    found = method.run(cases, budget, Seeds(seed), environment, utility)
    if [trajectory.case for trajectory in found] != list(cases):
        raise user_error(
            f"method {method.name} does not return the cases that it was given",
            found=f"cases {[trajectory.case.case for trajectory in found][:10]}",
            expected=f"cases {[case.case for case in cases][:10]}, one trajectory each, in order",
        )
    for trajectory in found:
        steps = [candidate.step for candidate in trajectory.accepted]
        if steps != list(range(1, len(steps) + 1)):
            raise user_error(
                f"method {method.name} accepts no trajectory for case {trajectory.case.case}",
                found=f"accepted candidates of steps {steps}",
                expected="one accepted candidate for each step, from 1 on",
            )
    return found


def trajectory_rows(name: str, trajectories: Sequence[Trajectory]) -> pd.DataFrame:
    """Return one row per case and step, from step 0 on, as :func:`eagle.methods.rollout.roll_out` does."""
    rows: list[dict[str, Any]] = []
    for trajectory in trajectories:
        start = BranchingEnvironment.start(trajectory.case)
        rows += anchor_rows(name, [start])
        history: list[str] = []
        for candidate in trajectory.accepted:
            rows.append(_row(name, trajectory, candidate) | {"duplicate": is_in(candidate.action, history)})
            history.append(candidate.action)
    return pd.DataFrame(rows).astype({"cause": object})


def candidate_rows(name: str, trajectories: Sequence[Trajectory]) -> pd.DataFrame:
    """Return one row for every candidate: case, step, draw, action, text, accepted, and what a trajectory's row has.

    ``order``: its place among all candidates of its case, in the order in which they were written.
    """
    rows = [
        _row(name, trajectory, candidate) | {"order": place, "draw": candidate.draw, "accepted": candidate.accepted}
        for trajectory in trajectories
        for place, candidate in enumerate(trajectory.candidates)
    ]
    return pd.DataFrame(rows)


def _row(name: str, trajectory: Trajectory, candidate: Candidate) -> dict[str, Any]:
    return {
        "arm": name,
        "case": trajectory.case.case,
        "anchor": trajectory.case.anchor,
        "user": trajectory.case.user,
        "step": candidate.step,
        "action": candidate.action,
        "text": candidate.text,
        "valid": candidate.cause is None,
        "cause": candidate.cause,
        "copied": candidate.copied,
        "seed": candidate.seed,
    }
