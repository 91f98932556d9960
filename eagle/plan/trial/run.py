"""A trial from beginning to end: the scratch project, the changes, the lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from eagle.config import Config, load_config
from eagle.core.artifacts import read_json
from eagle.core.project import Project
from eagle.data.descriptions import Descriptions
from eagle.data.stored import items_of_split, read_user_split
from eagle.domains.open import domain_of
from eagle.latent.encoders import load_encoder
from eagle.latent.sentence import SentenceModel
from eagle.latent.space import load_latent
from eagle.plan.trial import findings
from eagle.plan.trial.changes import write_changes
from eagle.plan.trial.findings import Finding
from eagle.plan.trial.scratch import scratch_project
from eagle.quality.stored import load_gates

QUOTED = 3
LARGER = "a larger llm.model, or an environment adapted to the catalogue (environment.adapt)"


def trial_lines(project: Project) -> list[str]:
    """Return what ``eagle check --trial`` prints; EagleError where the trial cannot be made."""
    config = load_config(project.params)
    with scratch_project(config, project) as made:
        changes = write_changes(config, made)
        found = [*_of_texts(config, made, changes), *_of_data(config, made)]
        first = changes[changes["sample"] == 0]
        noun, items = domain_of(config).noun, first["item"].nunique()
    heading = f"trial: {len(first)} changes of {items} training items ({noun}), by seed actions"
    return [heading, "", *table_lines(found), "", *quotes(first)]


def _of_texts(config: Config, project: Project, changes: pd.DataFrame) -> list[Finding]:
    """Judge the changes: the shares over first samples, the distances over all texts that changed."""
    gates = load_gates(project, config)
    written = changes[changes["text"].notna()]
    changed = written[~written["copied"]]
    first = written[written["sample"] == 0]
    causes = gates.causes(list(first["text"]), list(first["before"]))
    broken = np.array([len(each) > 0 for each in causes], bool)
    failed = changes.loc[(changes["sample"] == 0) & changes["text"].isna(), "cause"]
    asked = int((changes["sample"] == 0).sum())
    whole = np.append(~broken, np.zeros(asked - len(first), bool))
    about = _about(project, changed[changed["sample"] == 0], changes)
    points = load_encoder(project.encoder, project.text_model).encode(list(changed["text"]), list(changed["year"]))
    chance = findings.distance_ratio(changed, points)
    spread = findings.spread_ratio(changed, points, load_latent(project.encoder).item_vectors)
    name = "whole" if gates.note is None else "whole (form alone: few texts to compare with)"
    return [
        findings.share_finding(name, whole, f"{LARGER}; broken: {counted(*causes, tuple(failed))}"),
        findings.share_finding("changed", list(~first["copied"]), f"{LARGER}; a higher llm.temperature"),
        findings.share_finding("on topic", about, f"{LARGER}; a lower llm.temperature; texts for more items"),
        findings.ratio_finding(
            "moved by the action, against chance",
            chance,
            (findings.GOOD_APART, findings.DOUBTFUL_APART),
            f"{LARGER}; actions that differ more (domain.actions)",
        ),
        findings.ratio_finding(
            "moved by the action, against the items' spacing",
            spread,
            (findings.GOOD_SPREAD, findings.DOUBTFUL_SPREAD),
            "stronger actions (domain.actions); longer texts (describe.max_words)",
        ),
    ]


def counted(*causes: Sequence[str]) -> str:
    """Return how often each cause comes, the most frequent first."""
    found = Counter(cause for each in causes for cause in each)
    return ", ".join(f"{cause.replace('_', ' ')} {count}" for cause, count in found.most_common()) or "none"


def _about(project: Project, changed: pd.DataFrame, changes: pd.DataFrame) -> np.ndarray:
    anchors = changes.drop_duplicates("anchor").sort_values("anchor")["before"].tolist()
    points = SentenceModel(project.text_model).embed([*anchors, *changed["text"]])
    return findings.on_topic(changed, points[: len(anchors)], points[len(anchors) :])


def _of_data(config: Config, project: Project) -> list[Finding]:
    """Judge the encoder on validation items, and what the evaluation will find to work on."""
    encoder = read_json(project.stage_metrics("encoder"))["against_popularity"]["validation"]["as in U"]
    settings = config.evaluate
    users = read_user_split(project.split_files.users)
    plots = Descriptions.load(project.descriptions).plots
    items = [item for item in items_of_split(project.split_files.items, settings.split) if plots.get(item)]
    budgets = settings.budgets if settings.budgets.most else None
    return [
        findings.encoder_finding(encoder),
        findings.count_finding(
            f"{settings.split} users",
            int((users["split"] == settings.split).sum()),
            max(settings.users, budgets.users if budgets else 0),
            f"a higher split.{settings.split}_users; a lower data.min_ratings_per_user; fewer evaluate.users",
        ),
        findings.count_finding(
            f"{settings.split} items with a text",
            len(items),
            max(settings.anchors, budgets.anchors if budgets else 0),
            f"texts for more items, or describe.write_at_most; a higher split.{settings.split}_items",
        ),
    ]


def table_lines(found: list[Finding]) -> list[str]:
    """Return the findings as a plain table; what to do stands below the line that it is about."""
    rows = [("what", "found", "needed", "verdict"), *((f.what, f.figure, f.needed, f.verdict) for f in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    for place, finding in reversed(list(enumerate(found, start=2))):
        if finding.verdict != "good":
            lines.insert(place, f"    what may help: {finding.mend}")
    return lines


def quotes(changes: pd.DataFrame) -> list[str]:
    """Return QUOTED changes as they are, of different items and actions, chosen by their place alone."""
    step = changes.groupby("anchor").size().max() + 1 if len(changes) else 1
    lines = [f"{QUOTED} of them, as they are:"]
    for row in changes.iloc[::step].head(QUOTED).to_dict("records"):
        after = row["text"] if isinstance(row["text"], str) else f"(failed: {row['cause']})"
        lines += ["", f"  before: {row['before']}", f"  change: {row['action']}", f"  after:  {after}"]
    return lines
