"""One episode of an agent at work, as records and as text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Neighbour:
    """An existing item near a text; ``distance`` is Euclidean in the latent space."""

    item: str
    title: str
    distance: float


@dataclass(frozen=True)
class TrajectoryStep:
    """One text: step 0 is the item's own. A failed change keeps the text before it and says its cause."""

    step: int
    action: str
    text: str
    utility: float
    cause: str | None
    nearest: list[Neighbour]


@dataclass(frozen=True)
class ServedTrajectory:
    """One episode; ``text`` and ``utility`` (SD of U over the catalogue, 0 = the user's mean item) are the last step's.

    ``remark`` says why the texts may not be those of the evaluation for the same case and seed; None where they are.
    """

    user: str
    profile: str
    item: str
    title: str
    sample: int
    text: str
    utility: float
    steps: list[TrajectoryStep]
    remark: str | None = None


def render(trajectories: Sequence[ServedTrajectory], *, as_json: bool) -> str:
    """Return the episodes as JSON or as text."""
    if as_json:
        return json.dumps([asdict(trajectory) for trajectory in trajectories], indent=2, ensure_ascii=False)
    return "\n\n".join(_block(trajectory) for trajectory in trajectories)


def _block(trajectory: ServedTrajectory) -> str:
    lines = [
        f"{trajectory.title} (item {trajectory.item}) for user {trajectory.user}, sample {trajectory.sample}: "
        f"{trajectory.profile}",
        "   U in SD over the catalogue, 0 = the user's mean item",
        *([f"   {trajectory.remark}"] if trajectory.remark else []),
    ]
    for step in trajectory.steps:
        lines.append(f"{step.step}. {step.action or 'as it is'}{f' (failed: {step.cause})' if step.cause else ''}")
        lines.append(f"   {step.text}")
        near = ", ".join(f"{n.title} ({n.distance:.2f})" for n in step.nearest)
        lines.append(f"   U {step.utility:+.2f}; near: {near}")
    return "\n".join(lines)
