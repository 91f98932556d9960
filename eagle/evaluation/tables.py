"""The paper's Tables 2, 3 and 4, and metrics.json, from the results of all arms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from eagle.evaluation.arm import Kind, Mode
from eagle.evaluation.comparison import ArmResult
from eagle.stats.intervals import NOTHING

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
    "broken",
    "repeated_triple",
    "copied_item",
    "too_long",
    "high_perplexity",
    "off_action",
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
    defects; last the estimates of judges beside the panel, and name_cases: how many cases each of these knows.
    """
    rows = []
    for result in results:
        row: dict[str, Any] = {"arm": result.arm.name, **_with_bounds(result, ESTIMATES)}
        row |= {name: result.behaviour.get(name, math.nan) for name in BEHAVIOUR}
        row |= {"more_defects_than_reference": result.marked}
        further = [name for name in result.estimates if name not in ESTIMATES]
        counts = {f"{name}_cases": result.estimates[name].cases for name in further}
        rows.append(row | _with_bounds(result, further) | counts)
    return pd.DataFrame(rows).round(4)


def _with_bounds(result: ArmResult, names: Sequence[str]) -> dict[str, float]:
    found = {name: result.estimates.get(name, NOTHING) for name in names}
    return {
        f"{name}{part}": value
        for name, estimate in found.items()
        for part, value in (("", estimate.mean), ("_low", estimate.low), ("_high", estimate.high))
    }


def _short(result: ArmResult) -> dict[str, float]:
    return {
        name: round(getattr(result.estimates[key], part), 4)
        for key in ("utility", "user_preference", "rater_preference", "distance")
        for name, part in ((key, "mean"), (f"{key}_low", "low"), (f"{key}_high", "high"))
    }


def _of(results: Sequence[ArmResult], kind: Kind, start: str | None, mode: Mode = "free") -> ArmResult | None:
    """Return the result of a policy from the reference ``start`` under one condition; None where it was not run."""
    found = (r for r in results if (r.arm.kind, r.arm.start, r.arm.mode) == (kind, start, mode))
    return next(found, None)


def table3(results: Sequence[ArmResult], here: str, there: str | None) -> pd.DataFrame:
    """EAGLE by environment in training and in testing [P Table 3]; what was not run says how to run it."""
    rows: list[dict[str, Any]] = []
    for own in (result for result in results if result.arm.is_main):
        name = own.arm.name
        rows.append({"arm": name, "trained_in": here, "tested_in": here, "status": "run", **_short(own)})
        moved = _of(results, "elsewhere", own.arm.start)
        status = {"status": "run", **_short(moved)} if moved else {"status": NOT_RUN["elsewhere"]}
        rows.append({"arm": name, "trained_in": here, "tested_in": there or "another environment", **status})
    return pd.DataFrame(rows)


def table4(results: Sequence[ArmResult], *, personalised: bool) -> pd.DataFrame:
    """EAGLE by action space [P Table 4]; what was not run says how to run it.

    ``personalised``: whether this run's actions are in part.
    """
    this, other = (DEFAULT, "without personalised") if personalised else ("without personalised", DEFAULT)
    rows: list[dict[str, Any]] = []
    for own in (result for result in results if result.arm.is_main):
        spaces = {
            this: own,
            "only actions of the list": _of(results, "eagle", own.arm.start, "listed"),
            "macro": _of(results, "macro", own.arm.start),
        }
        found = {space: result for space, result in spaces.items() if result}
        rows += [
            {"arm": result.arm.name, "actions": space, "status": "run", **_short(result)}
            for space, result in found.items()
        ]
        rows += [
            {"arm": own.arm.name, "actions": space, "status": NOT_RUN["personalised" if space == DEFAULT else space]}
            for space in (other, "macro", "default and macro")
            if space not in found
        ]
    return pd.DataFrame(rows)


def metrics(results: Sequence[ArmResult], extra: dict[str, Any]) -> dict[str, Any]:
    """Nested plain numbers, reports/metrics.json: arm -> figure -> mean, low, high; None where there is none."""
    found: dict[str, Any] = {}
    for result in results:
        figures: dict[str, Any] = {
            name: estimate.as_dict() | ({} if name in ESTIMATES else {"cases": estimate.cases})
            for name, estimate in result.estimates.items()
        }
        figures |= {name: round(value, 6) for name, value in result.behaviour.items()}
        figures["more_defects_than_reference"] = int(result.marked)
        figures["by_group"] = {
            kind: {label: estimate.as_dict() | {"cases": estimate.cases} for label, estimate in labels.items()}
            for kind, labels in result.groups.items()
        }
        figures["utility_by_step"] = {
            str(step): estimate.as_dict() for step, estimate in enumerate(result.utility_by_step)
        }
        found[result.arm.name] = figures
    return found | extra


HEADLINE = {
    "utility": "utility",
    "gain_over_anchor": "gain",
    "gain_over_reference": "over_reference",
    "gain_over_linear": "over_linear",
    "shelf_stars": "hidden_stars",
    "user_choice": "choice",
}
"""Figures that a reader compares runs by, and what the headline calls them."""


def headline(results: Sequence[ArmResult]) -> dict[str, dict[str, float]]:
    """Return reports/headline.json, the few numbers that runs are compared by: of EAGLE's arms, alone and as search.

    utility of the last text; gain in U over the anchor with low and high; the means of the rest. What an arm has not,
    as hidden stars of users with few hidden ratings, is left out.
    """
    found: dict[str, dict[str, float]] = {}
    for result in results:
        if not (result.arm.is_main or result.arm.searches_with_eagle):
            continue
        own = {short: result.estimates[name] for name, short in HEADLINE.items() if name in result.estimates}
        own = {short: estimate for short, estimate in own.items() if not math.isnan(estimate.mean)}
        figures = {short: round(estimate.mean, 4) for short, estimate in own.items()}
        if "gain" in own:
            figures |= {"gain_low": round(own["gain"].low, 4), "gain_high": round(own["gain"].high, 4)}
        if "defects" in result.behaviour:  # a search that bettered no text took no step
            figures |= {"defects": round(result.behaviour["defects"], 4)}
        found[result.arm.name] = figures
    return found
