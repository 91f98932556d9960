"""From judged trajectories to estimates per arm: the numbers of Table 2 and of metrics.json.

1. Follows the paper's columns: U, user preference, rater preference, distance [P Table 2].
2. Differs: U is in SD over the encoded catalogue (0 = the user's mean item), every number has a bootstrap interval, and
   gains are paired: the same cases, and the same text wherever two arms take the same action.
3. A failed step keeps the text before it, so a failed episode ends with what could still be offered; it counts as a
   defect.
4. The paper's advice "offer a new item only if it beats its anchor" is the column followed: the better of text and
   anchor by U.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from eagle.evaluation.arm import LINEAR, Arm, reference_of
from eagle.evaluation.behaviour import behaviour, describe_steps
from eagle.methods.rollout import ANCHOR
from eagle.stats.bootstrap import TwoWayBootstrap
from eagle.stats.intervals import Estimate


@dataclass(frozen=True)
class ArmResult:
    """One row of Table 2."""

    arm: Arm
    estimates: dict[str, Estimate]
    """utility, user_preference, user_choice, rater_preference, distance, gain_over_{anchor,reference,linear},
    beats_anchor, followed, genre_line_gain (of the new genre line over the old plot)."""
    behaviour: dict[str, float]
    marked: bool
    """Gains over its reference, but with more defects than it."""
    groups: dict[str, dict[str, Estimate]]
    """Kind of group -> group -> mean gain over the anchor."""
    utility_by_step: list[Estimate]


def final_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each case's last row of one arm, in case order."""
    return rows.sort_values(["case", "step"]).groupby("case", sort=True).tail(1).reset_index(drop=True)


def _step_rows(rows: pd.DataFrame) -> pd.DataFrame:
    ordered = rows.sort_values(["case", "step"])
    return ordered.assign(before=ordered.groupby("case")["text"].shift())[ordered["step"] >= 1]


@dataclass(frozen=True)
class Comparison:
    """All arms on the same cases. ``judged`` holds rows of every arm for every case (see the trajectories table)."""

    arms: Sequence[Arm]
    """In the order of the tables."""
    judged: pd.DataFrame
    cases: pd.DataFrame
    candidates: Sequence[str]
    groups: dict[str, np.ndarray]
    """Kind of group -> label of every case (n_cases,)."""
    bootstrap: TwoWayBootstrap
    seed: int
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """What writing agents counted about their own actions, by arm: `acted`, `fallen_back`."""
    judged_columns: Sequence[str] = ()
    """All that judges say; what the paper's columns do not have stands after them."""

    def __post_init__(self) -> None:
        named, found = {arm.name for arm in self.arms}, set(self.judged["arm"])
        if named != found:
            raise ValueError(f"arms without rows or rows without an arm: {sorted(named ^ found)}")

    def results(self) -> list[ArmResult]:
        """Return one result per arm, in order."""
        rows = {str(name): of_arm for name, of_arm in self.judged.groupby("arm", sort=False)}
        finals = {name: final_rows(of_arm) for name, of_arm in rows.items()}
        habits = {name: self._behaviour(finals[name], of_arm) for name, of_arm in rows.items()}
        return [self._result(arm, finals, habits) for arm in self.arms]

    def _behaviour(self, final: pd.DataFrame, rows: pd.DataFrame) -> dict[str, float]:
        steps = describe_steps(_step_rows(rows), self.candidates)
        found = behaviour(steps, final, self.cases.set_index("case")["text"], self.seed)
        counted = self.counts.get(str(final["arm"].iloc[0]), {})
        return found | (
            {"fallen_back": counted.get("fallen_back", 0) / counted["acted"]} if counted.get("acted") else {}
        )

    def _result(self, arm: Arm, finals: dict[str, pd.DataFrame], habits: dict[str, dict[str, float]]) -> ArmResult:
        final = finals[arm.name]
        utility = final["utility"].to_numpy(float)
        anchor = finals[ANCHOR]["utility"].to_numpy(float)
        columns = ("utility", "user_preference", "user_choice", "rater_preference", "distance")
        estimates = {name: self.bootstrap.mean(final[name].to_numpy(float)) for name in columns}
        estimates["gain_over_anchor"] = self.bootstrap.difference(utility, anchor)
        reference = reference_of(arm, self.arms)
        if reference:
            estimates["gain_over_reference"] = self.bootstrap.difference(
                utility, finals[reference.name]["utility"].to_numpy(float)
            )
        if LINEAR in finals and arm.name != LINEAR:
            estimates["gain_over_linear"] = self.bootstrap.difference(
                utility, finals[LINEAR]["utility"].to_numpy(float)
            )
        estimates["beats_anchor"] = self.bootstrap.mean((utility > anchor).astype(float))
        estimates["followed"] = self.bootstrap.mean(np.maximum(utility, anchor))
        if "genre_line_utility" in final:
            estimates["genre_line_gain"] = self.bootstrap.difference(
                final["genre_line_utility"].to_numpy(float), anchor
            )
        for name in self.judged_columns:
            if name not in estimates:
                estimates[name] = self.bootstrap.mean(final[name].to_numpy(float))
        groups = {
            kind: {
                str(label): self.bootstrap.difference(utility, anchor, labels == label)
                for label in sorted(set(labels.tolist()))
            }
            for kind, labels in self.groups.items()
        }
        marked = reference is not None and self._marked(estimates, habits[arm.name], habits[reference.name])
        return ArmResult(arm, estimates, habits[arm.name], marked, groups, self._by_step(arm.name))

    @staticmethod
    def _marked(estimates: dict[str, Estimate], own: dict[str, float], reference: dict[str, float]) -> bool:
        return estimates["gain_over_reference"].mean > 0 and own.get("defects", 0) > reference.get("defects", 0)

    def _by_step(self, name: str) -> list[Estimate]:
        rows = self.judged[self.judged["arm"] == name]
        table = rows.pivot(index="step", columns="case", values="utility").ffill()
        return [self.bootstrap.mean(values) for values in table.to_numpy(float)]
