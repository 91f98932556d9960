"""The paper's Tables 2, 3 and 4, and metrics.json, from the results of all arms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from eagle.evaluation.bootstrap import NOTHING
from eagle.evaluation.comparison import ArmResult
from eagle.evaluation.conditions import ELSEWHERE, MACRO

ESTIMATES = (
    "utility",
    "user_preference",
    "rater_preference",
    "distance",
    "gain_over_anchor",
    "gain_over_reference",
    "gain_over_linear",
    "beats_anchor",
    "followed",
    "user_choice",
    "genre_line_gain",
)
BEHAVIOUR = (
    "defects",
    "copies",
    "duplicates",
    "no_ops",
    "words_kept",
    "genres_named",
    "distinct_actions",
    "valid_actions",
    "fallen_back",
    "listed",
    "mutual_information",
)
NOT_RUN = {
    "elsewhere": "not run: dvc exp run -S evaluate.other_temperature=0.5 (or -S evaluate.other_model=FOLDER)",
    "without personalised": "not run: dvc exp run -S actions.personalized_share=0",
    "personalised": "not run: set actions.personalized_share above 0",
    "macro": "not run: dvc exp run -S evaluate.macro=true",
    "default and macro": "not run: an agent cannot be trained on several actions in one call",
}
"""What makes a row that this run has not made."""
DEFAULT = "default: free text"


def table2(results: Sequence[ArmResult]) -> pd.DataFrame:
    """One row per arm; every estimate as name, name_low, name_high; then behaviour, and the mark for gains with more
    defects.
    """
    rows = []
    for result in results:
        row: dict[str, Any] = {"arm": result.arm}
        for name in ESTIMATES:
            estimate = result.estimates.get(name, NOTHING)
            row |= {name: estimate.mean, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        row |= {name: result.behaviour.get(name, math.nan) for name in BEHAVIOUR}
        rows.append(row | {"more_defects_than_reference": result.marked})
    return pd.DataFrame(rows).round(4)


def _short(result: ArmResult) -> dict[str, float]:
    return {
        name: round(getattr(result.estimates[key], part), 4)
        for key in ("utility", "user_preference", "rater_preference", "distance")
        for name, part in ((key, "mean"), (f"{key}_low", "low"), (f"{key}_high", "high"))
    }


def table3(results: Sequence[ArmResult], arms: Sequence[str], here: str, there: str | None) -> pd.DataFrame:
    """EAGLE by environment in training and in testing [P Table 3]; what was not run says how to run it."""
    by_arm = {r.arm: r for r in results}
    rows: list[dict[str, Any]] = []
    for arm in arms:
        rows.append({"arm": arm, "trained_in": here, "tested_in": here, "status": "run", **_short(by_arm[arm])})
        moved = by_arm.get(arm.replace("eagle_", ELSEWHERE, 1))
        status = {"status": "run", **_short(moved)} if moved else {"status": NOT_RUN["elsewhere"]}
        rows.append({"arm": arm, "trained_in": here, "tested_in": there or "another environment", **status})
    return pd.DataFrame(rows)


def table4(results: Sequence[ArmResult], arms: Sequence[str], *, personalised: bool) -> pd.DataFrame:
    """EAGLE by action space [P Table 4]; what was not run says how to run it.

    ``personalised``: whether this run's actions are in part.
    """
    by_arm = {r.arm: r for r in results}
    rows: list[dict[str, Any]] = []
    for arm in arms:
        this, other = (DEFAULT, "without personalised") if personalised else ("without personalised", DEFAULT)
        spaces = {this: arm, "only actions of the list": f"{arm}_listed", "macro": arm.replace("eagle_", MACRO, 1)}
        found = {space: by_arm[name] for space, name in spaces.items() if name in by_arm}
        rows += [
            {"arm": result.arm, "actions": space, "status": "run", **_short(result)} for space, result in found.items()
        ]
        rows += [
            {"arm": arm, "actions": space, "status": NOT_RUN["personalised" if space == DEFAULT else space]}
            for space in (other, "macro", "default and macro")
            if space not in found
        ]
    return pd.DataFrame(rows)


def metrics(results: Sequence[ArmResult], extra: dict[str, Any]) -> dict[str, Any]:
    """Nested plain numbers for `dvc metrics`: arm -> figure -> mean, low, high; None where there is none."""
    found: dict[str, Any] = {}
    for result in results:
        figures: dict[str, Any] = {name: estimate.as_dict() for name, estimate in result.estimates.items()}
        figures |= {name: round(value, 6) for name, value in result.behaviour.items()}
        figures["more_defects_than_reference"] = int(result.marked)
        figures["by_group"] = {
            kind: {label: estimate.as_dict() | {"cases": estimate.cases} for label, estimate in labels.items()}
            for kind, labels in result.groups.items()
        }
        figures["utility_by_step"] = {
            str(step): estimate.as_dict() for step, estimate in enumerate(result.utility_by_step)
        }
        found[result.arm] = figures
    return found | extra
