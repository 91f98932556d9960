"""What the numbers say, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from eagle.domains.text import Fields
from eagle.evaluation.arm import Arm
from eagle.evaluation.bounds import BoundCheck, outside
from eagle.evaluation.searches import eagle_among, label_at_budgets
from eagle.latent.verdict import verdict_line

FIGURES = {
    "distinct_actions": "different actions",
    "valid_actions": "valid actions",
    "mutual_information": "information on the user",
    "defects": "defects",
    "copies": "copies",
    "kl": "KL to the reference",
}
"""What a reader calls the figures that have bounds."""


def limits(fields: Fields) -> tuple[str, ...]:
    """Return what a reader has to know before they believe the page; ``fields`` are those of its texts."""
    labels, body = fields.labels.lower(), fields.body.lower().removeprefix("the ")
    gamed, named = (f", most easily through the {labels}", f"name {labels} and ") if labels else ("", "")
    return (
        f"The utility is a model's guess from ratings, not what people said about these texts. It can be gamed{gamed}.",
        "The panel that states preferences is a model too. It learned from other ratings with other features, but "
        "nobody was asked.",
        f"The texts come from a small language model. They {named}sketch a {body}: "
        "starting points for a person, not finished descriptions.",
        "A gain on a pair counts for that user. Whether many people share the gap is not measured here.",
        "Intervals cover the choice of items and users, not another seed, another split or another language model.",
        "The closest existing items are closest in the latent space of this catalogue: a text may well resemble "
        "something outside it.",
    )


def number(value: Any, digits: int = 2, sign: bool = False) -> str:
    """Return a number for people; an en dash where there is none."""
    if value is None or pd.isna(value):
        return "–"
    rounded = round(float(value), digits) + 0.0  # no minus in front of a zero
    return f"{rounded:{'+' if sign else ''}.{digits}f}".replace("-", "−")


def interval(estimate: Mapping[str, Any] | None, digits: int = 2, sign: bool = True) -> str:
    """Return "+0.71 [+0.50, +0.92]"."""
    if not estimate or estimate.get("mean") is None:
        return "–"
    return f"{number(estimate['mean'], digits, sign)} {ends(estimate, digits, sign)}"


def ends(estimate: Mapping[str, Any], digits: int = 2, sign: bool = True) -> str:
    """Return "[+0.50, +0.92]"."""
    low, high = (number(estimate.get(part), digits, sign) for part in ("low", "high"))
    return f"[{low}, {high}]"


def compared(estimate: Mapping[str, Any] | None) -> str:
    """Say whether a difference can be told from none."""
    if not estimate or estimate.get("low") is None:
        return "not measured"
    if estimate["low"] > 0:
        return "ahead"
    return "behind" if estimate["high"] < 0 else "cannot be told apart"


def verdicts(metrics: Mapping[str, Any], arms: Sequence[Arm], noun: str) -> list[str]:
    """Return the findings, one sentence each; every one with its number. ``noun`` is what the catalogue holds."""
    said = []
    for arm in arms:
        found = metrics[arm.name]
        gain, linear = found.get("gain_over_reference"), found.get("gain_over_linear")
        clear = {"ahead": "It learned", "behind": "It got worse", "cannot be told apart": "No gain can be shown"}
        said.append(
            f"{arm.label}, asked once for each change: {clear.get(compared(gain), 'No gain was measured')}. "
            f"Against the policy it started from it gains {interval(gain)} standard deviations of utility, on "
            f"{noun}s and users it never saw."
        )
        words = {"ahead": "is ahead of", "behind": "is behind", "cannot be told apart": "cannot be told apart from"}
        if compared(linear) in words:
            said.append(
                f"It {words[compared(linear)]} the simple linear rule with as many changes (difference "
                f"{interval(linear)})."
            )
        if found.get("more_defects_than_reference"):
            said.append("It leaves more defective texts than its reference: read any gain with care.")
        share, followed, anchor = found["beats_anchor"], found["followed"], metrics["anchor"]["utility"]
        said.append(
            f"In {number((share['mean'] or 0) * 100, 0)}% of the cases its text beats the existing {noun}. "
            f"Offering it only there would bring mean utility from {number(anchor['mean'])} to "
            f"{interval(followed, sign=False)}."
        )
    return said


def bounds_sentence(arm: Arm, checks: Sequence[BoundCheck]) -> str:
    """Say whether an arm keeps its bounds, with all figures, or those outside."""
    broken = outside(checks)
    told = "; ".join(map(_bound, broken or checks))
    if broken:
        return f"{arm.label} is outside its bounds, so read its gain with care: {told}."
    return f"{arm.label} keeps all its bounds: {told}."


def _bound(check: BoundCheck) -> str:
    value = "not measured" if check.value is None else f"{check.value:.3g}"
    return f"{FIGURES[check.name]} {value} ({check.sense} {check.bound:g})"


def panel_sentence(panel: Mapping[str, Any]) -> str:
    """Say how far the panel can be trusted."""
    auc, average = interval(panel["auc"], sign=False), interval(panel["auc_average_rater"], sign=False)
    if panel["auc"]["mean"] is None:
        return (
            "Too few people rated several of the items that the panel never saw to say how well it orders them: "
            "nobody knows what its preferences mean in this run."
        )
    if panel["near_chance"]:
        return (
            f"The panel orders unseen items no better than chance (AUC {auc}): its preferences mean nothing in "
            f"this run."
        )
    return (
        f"Asked about items it never saw, the panel orders two of a user's ratings rightly with probability {auc}; "
        f"the same ranking for everybody reaches {average}. 0.5 would be chance."
    )


def at_most(table: pd.DataFrame) -> tuple[int, dict[Any, dict[Any, Any]]]:
    """Return the largest budget of reports/budget.csv, and there what EAGLE won, by metric; 0 and nothing where it was
    not compared.
    """
    table = table[table["arm"] == eagle_among(table["arm"])]
    most = 0 if table.empty else int(table["budget"].max())
    return most, table[table["budget"] == most].set_index("metric").to_dict("index")


def budget_sentence(table: pd.DataFrame, arms: Sequence[Arm] = ()) -> str:
    """Say what EAGLE wins at the largest budget and whom it is ahead of; "" where it was not compared.

    ``table``: reports/budget.csv. ``arms``: those of the run.
    """
    most, at = at_most(table)
    if "utility_gain" not in at:
        return ""
    who = label_at_budgets(eagle_among(table["arm"]), arms)
    said = f"{who}, best of {most} texts of one change: {interval(at['utility_gain'])} SD of U over the anchor"
    ahead = "_over_"
    others = {
        name.partition(ahead)[2]: figures for name, figures in at.items() if name.startswith(f"utility_gain{ahead}")
    }
    against = [f"{label_at_budgets(other, arms).lower()} {interval(figures)}" for other, figures in others.items()]
    said += f"; over {', '.join(against)}" if against else ""
    return " ".join([f"{said}.", *_shelf_words(at.get("shelf_stars"))])


def _shelf_words(shelf: Mapping[str, Any] | None) -> list[str]:
    """Say what real ratings of hidden items confirm, or that nobody has enough of them; nothing where none were
    asked.
    """
    if shelf is None:
        return []
    if pd.isna(shelf["mean"]):
        return ["None of these people has enough hidden ratings to confirm it by real ratings."]
    return [f"Real ratings of hidden items: {interval(shelf)} stars."]


def environment_sentences(stage: Mapping[str, Any] | None) -> list[str]:
    """Say which model wrote the texts where an adapted one was tried; nothing where none was."""
    if not stage or not stage.get("tried"):
        return []
    why = "; ".join(stage["reasons"])
    if stage["adapted"]:
        return [f"The texts were written by a model that was adapted to this catalogue (validation items: {why})."]
    return [f"An environment adapted to this catalogue was tried and not kept (validation items: {why})."]


def encoder_warning(stage: Mapping[str, Any] | None) -> str:
    """Return what a reader has to know first where the encoder does not beat popularity on test items; "" where it
    does.

    ``stage``: reports/stages/encoder.json.
    """
    found = (stage or {}).get("against_popularity", {}).get("test", {}).get("as in U")
    if not found or found["verdict"] == "beats popularity":
        return ""
    meaning = {
        "cannot be told from chance": "Nothing shows that the utility U, and what rests on it, means anything for "
        "this catalogue",
        "does not beat popularity, but ranks better than chance": "Read U, and all that rests on it, with care",
        "not measured": "So nobody knows what U, and all that rests on it, is worth",
    }[found["verdict"]]
    return f"{verdict_line(found, 'test items')} {meaning}."
