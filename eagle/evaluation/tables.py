"""The paper's Tables 2, 3 and 4, and metrics.json, from the results of all arms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from eagle.evaluation.bootstrap import NOTHING
from eagle.evaluation.comparison import ArmResult

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
NEEDS_ANOTHER_MODEL = "not run: set llm.model to another environment model and run again with the trained agent"


def table2(results: Sequence[ArmResult]) -> pd.DataFrame:
    """One row per arm; every estimate as name, name_low, name_high; then behaviour, and the mark for gains with more defects."""
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


def table3(results: Sequence[ArmResult], arms: Sequence[str], model: str) -> pd.DataFrame:
    """EAGLE by environment model in training and in testing [P Table 3]; what was not run says so."""
    rows: list[dict[str, Any]] = [
        {"arm": r.arm, "trained_in": model, "tested_in": model, "status": "run", **_short(r)} for r in results if r.arm in arms
    ]
    rows.append({"arm": arms[0] if arms else "", "trained_in": model, "tested_in": "another model", "status": NEEDS_ANOTHER_MODEL})
    return pd.DataFrame(rows)


def table4(results: Sequence[ArmResult], arms: Sequence[str]) -> pd.DataFrame:
    """EAGLE by action space [P Table 4]; what was not run says so."""
    by_arm = {r.arm: r for r in results}
    rows: list[dict[str, Any]] = []
    for arm in arms:
        rows.append({"arm": arm, "actions": "default: free text", "status": "run", **_short(by_arm[arm])})
        if f"{arm}_listed" in by_arm:
            listed = _short(by_arm[f"{arm}_listed"])
            rows.append({"arm": f"{arm}_listed", "actions": "only actions of the list", "status": "run", **listed})
    for space, how in (
        ("without personalised", "not run: set actions.personalized_share to 0 and run the pipeline again"),
        ("macro", "not run: several actions in one call are not offered to the environment at this size"),
        ("default and macro", "not run: as macro"),
    ):
        rows.append({"arm": arms[0] if arms else "", "actions": space, "status": how})
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
        figures["utility_by_step"] = {str(step): estimate.as_dict() for step, estimate in enumerate(result.utility_by_step)}
        found[result.arm] = figures
    return found | extra
