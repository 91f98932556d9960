"""Fill the template.

Every text of models and catalogues is untrusted: autoescape is on, and only our own SVG is exempt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from itertools import starmap
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined

from eagle.evaluation.arm import Arm
from eagle.evaluation.bounds import BoundCheck
from eagle.gaps.find import best_per_anchor
from eagle.latent.features import parse_loosely
from eagle.report import content, pictures
from eagle.report.accounts import total_costs
from eagle.report.inputs import Inputs
from eagle.report.words import (
    bounds_sentence,
    budget_sentence,
    encoder_warning,
    environment_sentences,
    interval,
    limits,
    number,
    panel_sentence,
    verdicts,
)

GAPS_SHOWN = 10
_OWN = {"files": "your own files"}
SECTIONS = (
    ("gaps", "Best gaps"),
    ("table", "Comparison"),
    ("budgets", "Asking more than once"),
    ("learning", "Learning curves"),
    ("map", "Latent map"),
    ("design", "Exploration design"),
    ("encoder", "Encoder"),
    ("samples", "Samples"),
    ("costs", "Costs"),
    ("limits", "Limits"),
)


def environment() -> Environment:
    """Return the template environment: everything escaped, a missing name is an error."""
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    made.filters["number"] = number
    made.filters["interval"] = interval
    made.filters["share"] = lambda value: "–" if value is None or pd.isna(value) else f"{100 * float(value):.0f}%"
    made.filters["count"] = lambda value: f"{float(value):,.0f}"
    return made


def render(inputs: Inputs, gaps: pd.DataFrame, checks: Mapping[Arm, Sequence[BoundCheck]]) -> str:
    """Return the whole page; ``checks`` are the bounds of each EAGLE arm."""
    template = resources.files("eagle.report").joinpath("report.html").read_text(encoding="utf-8")
    return environment().from_string(template).render(**_shown(inputs, gaps, checks))


def _shown(inputs: Inputs, gaps: pd.DataFrame, checks: Mapping[Arm, Sequence[BoundCheck]]) -> dict[str, Any]:
    """What the template names, in the order of the page."""
    metrics, trained = inputs.metrics, inputs.trained
    cases, best = metrics["cases"], best_per_anchor(gaps, GAPS_SHOWN)
    noun = cases.get("noun", "item")
    fields = parse_loosely(str(inputs.trajectories["text"].iloc[0])).fields
    return {
        "catalogue": _OWN.get(source := inputs.source.get("source", "catalogue"), source),
        "noun": noun,
        "cases": cases,
        "compared_cases": int(inputs.budgets["cases"].max()) if len(inputs.budgets) else 0,
        "sections": SECTIONS,
        "warning": encoder_warning(inputs.stages.get("encoder")),
        "headline": content.headlines(inputs, len(gaps)),
        "verdicts": [
            *filter(None, [budget_sentence(inputs.budgets, inputs.arms)]),
            *verdicts(metrics, trained, noun),
            *starmap(bounds_sentence, checks.items()),
            *environment_sentences(inputs.stages.get("environment")),
        ],
        "gaps": best.to_dict("records"),
        "gap_count": len(gaps),
        "confidence": f"{100 * cases.get('confidence', 0.95):.0f}%",
        **{name: content.records(table, inputs.arms) for name, table in inputs.tables.items()},
        "svg": pictures.fixed(inputs, best),
        "budget_rows": content.budget_rows(inputs.budgets, inputs.arms),
        "budget_columns": content.BUDGET_COLUMNS,
        "panel": panel_sentence(metrics["panel"]),
        "groups": [{"name": arm.label, "rows": content.group_rows(metrics, arm)} for arm in trained],
        "curves": pictures.curves(inputs),
        "dimension": inputs.latent.dimension,
        "design": content.design_rows(inputs),
        "design_anchors": content.design_anchors(inputs),
        "encoder": content.encoder_rows(inputs),
        "encoder_group": content.encoder_group(inputs),
        "samples": [{"name": arm.label, "found": content.samples(inputs, arm)} for arm in trained],
        "costs": inputs.costs,
        "total": total_costs(inputs.costs)["total"],
        "limits": limits(fields),
        "fields": fields,
        "provenance": content.provenance(inputs),
        "licence": inputs.source.get("licence", ""),
    }
