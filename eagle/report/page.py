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
from markupsafe import Markup

from eagle.evaluation.arm import ANCHOR, LINEAR_ONCE, Arm
from eagle.evaluation.bounds import BoundCheck
from eagle.gaps.find import best_per_anchor
from eagle.report import content, figures
from eagle.report.content import Inputs
from eagle.report.words import bounds_sentence, interval, number, panel_sentence, verdicts

GAPS_SHOWN = 10
PATHS_SHOWN = 8
SECTIONS = (
    ("gaps", "Best gaps"),
    ("table", "Comparison"),
    ("learning", "Learning curves"),
    ("map", "Latent map"),
    ("design", "Exploration design"),
    ("encoder", "Encoder"),
    ("samples", "Samples"),
    ("costs", "Costs"),
    ("limits", "Limits"),
)
TRAINING_CURVE = (
    "utility", "gain", "validation_utility", "validation_gain", "kl", "entropy", "information", "distinct_actions",
    "valid_share",
    "listed_mass", "reward", "length", "duplicate_rate", "no_op_rate", "copy_rate", "failure_rate",
)  # fmt: skip
LIMITS = (
    "The utility is a model's guess from ratings, not what people said about these texts. "
    "It can be gamed, most easily through the genre line.",
    "The panel that states preferences is a model too. It learned from other ratings with other features, but nobody "
    "was asked.",
    "The texts come from a small language model. They name genres and sketch a plot: "
    "starting points for a person, not finished descriptions.",
    "A gain on a pair counts for that user. Whether many people share the gap is not measured here.",
    "Intervals cover the choice of items and users, not another seed, another split or another language model.",
    "The closest existing items are closest in the latent space of this catalogue: a text may well resemble something "
    "outside it.",
)


def environment() -> Environment:
    """Return the template environment: everything escaped, a missing name is an error."""
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    made.filters["number"] = number
    made.filters["share"] = lambda value: "–" if value is None or pd.isna(value) else f"{100 * float(value):.0f}%"
    made.filters["count"] = lambda value: f"{float(value):,.0f}"
    return made


def _records(table: pd.DataFrame, arms: Sequence[Arm]) -> list[dict[str, Any]]:
    """Rows for the template; ``name`` is the arm's label and ``kind`` its kind."""
    of_name = {arm.name: arm for arm in arms}
    run = [of_name[name] for name in table["arm"]]
    named = table.assign(name=[arm.label for arm in run], kind=[arm.kind for arm in run])
    return [
        {str(k): None if not isinstance(v, list) and pd.isna(v) else v for k, v in row.items()}
        for row in named.to_dict("records")
    ]


def _headline(inputs: Inputs, gaps: pd.DataFrame) -> list[tuple[str, str]]:
    if not inputs.trained:
        return [("–", "no EAGLE arm was evaluated")]
    main = max(inputs.trained, key=lambda arm: inputs.metrics[arm.name]["utility"]["mean"])
    found, costs = inputs.metrics[main.name], content.total_costs(inputs.costs)["total"]
    gain, beats = found.get("gain_over_reference", {}), found["beats_anchor"]["mean"]
    used = f"{costs['peak_memory_mib'] / 1024:.1f} GiB at most, {costs['new_tokens']:,} tokens written"
    return [
        (f"{number(gain.get('mean'), 2, True)} SD", f"{main.label}: gain over its reference, {interval(gain)}"),
        (f"{number(100 * (beats or 0), 0)}%", "of its texts beat the existing item they started from"),
        (f"{len(gaps):,}", "texts that beat their starting point, over all EAGLE rows"),
        (f"{costs['seconds'] / 60:.0f} min", f"of computing, {used}"),
    ]


def _curves(inputs: Inputs) -> list[dict[str, Any]]:
    of_curve = {arm.curve: arm for arm in inputs.arms if arm.curve in inputs.curves}
    learned = [(of_curve[name], name, table) for name, table in inputs.curves.items() if name in of_curve]
    shown = [
        (f"Training of {arm.label}", figures.curves(table, f"curve-{name}", TRAINING_CURVE, name))
        for arm, name, table in learned
        if arm.is_main
    ]
    updates = {cost["stage"]: cost["updates"] for cost in inputs.costs if cost.get("updates")}
    shown += [
        (
            f"Where the time of training {arm.label} went",
            figures.update_times(updates[f"train@{arm.start}"], f"times-{arm.start}"),
        )
        for arm in inputs.trained
        if f"train@{arm.start}" in updates
    ]
    losses = {arm.label: table.set_index("update")["loss"] for arm, _, table in learned if arm.kind == "reference"}
    if losses:
        together = pd.DataFrame(losses).rename_axis("update").reset_index()
        title = "References: cross-entropy to their target (nats)"
        shown.append((title, figures.curves(together, "curve-references", list(losses), title)))
    return [{"name": name, "svg": Markup(svg)} for name, svg in shown]


def _figures(inputs: Inputs, best: pd.DataFrame) -> dict[str, Markup]:
    table = inputs.tables["table2"]
    by_step = {
        arm: list(inputs.metrics[arm.name]["utility_by_step"].values())
        for arm in inputs.arms
        if arm.name not in (ANCHOR, LINEAR_ONCE)  # one is a point, the other the beginning of another line
    }
    found = {
        "forest": figures.forest(table, inputs.arms),
        "steps": figures.steps(by_step),
        "map": figures.latent_map(inputs.latent, content.paths(best.head(PATHS_SHOWN), inputs.trajectories)),
        "design": figures.design(inputs.weights),
        "costs": figures.costs(inputs.costs),
    }
    return {name: Markup(svg) for name, svg in found.items()}


def _design_anchors(inputs: Inputs) -> list[dict[str, Any]]:
    anchors = inputs.stages["design"].get("anchors", {})
    return [{"title": inputs.titles.get(anchor, anchor), **figures_} for anchor, figures_ in anchors.items()]


def _provenance(inputs: Inputs) -> list[tuple[str, str]]:
    files = [(f"data: {name}", f"sha256 {digest}") for name, digest in inputs.source.get("files", {}).items()]
    return [*files, *((name.replace("_", " "), str(value)) for name, value in inputs.metrics.get("inputs", {}).items())]


def render(inputs: Inputs, gaps: pd.DataFrame, checks: Mapping[Arm, Sequence[BoundCheck]]) -> str:
    """Return the whole page; ``checks`` are the bounds of each EAGLE arm."""
    best = best_per_anchor(gaps, GAPS_SHOWN)
    metrics, design = inputs.metrics, inputs.stages["design"]
    noun = metrics["cases"].get("noun", "item")
    cold = inputs.stages["encoder"].get("cold", {})
    template = resources.files("eagle.report").joinpath("report.html").read_text(encoding="utf-8")
    return (
        environment()
        .from_string(template)
        .render(
            catalogue=inputs.source.get("source", "catalogue"),
            licence=inputs.source.get("licence", ""),
            noun=noun,
            cases=metrics["cases"],
            confidence=f"{100 * metrics['cases'].get('confidence', 0.95):.0f}%",
            sections=SECTIONS,
            headline=_headline(inputs, gaps),
            verdicts=[*verdicts(metrics, inputs.trained, noun), *starmap(bounds_sentence, checks.items())],
            gaps=best.to_dict("records"),
            gap_count=len(gaps),
            svg=_figures(inputs, best),
            table2=_records(inputs.tables["table2"], inputs.arms),
            table3=_records(inputs.tables["table3"], inputs.arms),
            table4=_records(inputs.tables["table4"], inputs.arms),
            panel=panel_sentence(metrics["panel"]),
            groups=[{"name": arm.label, "rows": content.group_rows(metrics, arm)} for arm in inputs.trained],
            curves=_curves(inputs),
            dimension=inputs.latent.dimension,
            design=[
                {"name": n, **design[key]} for n, key in (("Certified", "certified"), ("The paper's sampler", "paper"))
            ],
            design_anchors=_design_anchors(inputs),
            encoder=content.encoder_rows(inputs.stages["encoder"]),
            encoder_group=next((g for g in cold if g.startswith("test items, all users")), ""),
            samples=[
                {
                    "name": arm.label,
                    "found": content.samples(inputs.trajectories, arm, inputs.titles, inputs.profiles),
                }
                for arm in inputs.trained
            ],
            costs=inputs.costs,
            total=content.total_costs(inputs.costs)["total"],
            limits=LIMITS,
            provenance=_provenance(inputs),
        )
    )
