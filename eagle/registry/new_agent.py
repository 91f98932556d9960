"""The agent of a run that stands for champion: which arm it is, what it scored, which bounds it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from eagle.config import Config
from eagle.core.project import Project
from eagle.evaluation.arm import Arm, load_arms, search_of
from eagle.evaluation.bounds import BoundCheck, check_bounds, outside
from eagle.evaluation.stored import read_metrics, read_trajectories
from eagle.registry.champion import CaseScores, scores_of, surroundings
from eagle.training.curves import read_curve


@dataclass(frozen=True)
class NewAgent:
    """The best trained arm of this run, which stands for champion."""

    arm: Arm
    scored: Arm
    """The arm whose texts its scores are of: its search where one was run, else itself."""
    cases: pd.DataFrame
    """Its held-out cases in order: columns anchor, user."""
    scores: CaseScores
    broken: list[BoundCheck]
    """The bounds that it does not keep."""

    @property
    def searched(self) -> bool:
        """Whether its scores are those of the texts that its search kept."""
        return self.scored != self.arm


def best_agent(config: Config, project: Project) -> NewAgent:
    """Return the trained arm with the highest mean final U, with its scores and the bounds that it breaks."""
    trajectories, arms = read_trajectories(project.trajectories), load_arms(project)
    arm = best_arm(arms, trajectories)
    start = (trajectories["arm"] == arm.name) & (trajectories["step"] == 0)
    cases = trajectories.loc[start].sort_values("case")[["anchor", "user"]]
    scored = search_of(arm, arms) or arm
    scores = scores_of(trajectories, scored, surroundings(config, project, cases, scored != arm))
    figures, curve = read_metrics(project.metrics)[arm.name], read_curve(project.curve(str(arm.curve)))
    return NewAgent(arm, scored, cases, scores, outside(check_bounds(config.registry.bounds, figures, curve)))


def best_arm(arms: Sequence[Arm], trajectories: pd.DataFrame) -> Arm:
    """Return the trained arm with the highest mean final U; the first one where they are level."""
    final = trajectories.sort_values("step").groupby(["arm", "case"])["utility"].last().groupby("arm").mean()
    return max((arm for arm in arms if arm.is_main), key=lambda arm: float(final[arm.name]))
