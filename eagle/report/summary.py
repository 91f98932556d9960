"""The end of a run in a screenful: a short table and where everything is, for the terminal and as Markdown for
Prefect's page.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TextIO

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from eagle.core.artifacts import read_json
from eagle.core.commands import run_everything
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.evaluation.arm import Arm, load_arms
from eagle.evaluation.bounds import outside, read_bounds
from eagle.evaluation.stored import read_comparison, read_metrics
from eagle.report.registration import Registration
from eagle.report.words import bounds_sentence, budget_sentence, compared, encoder_warning, number

ESTIMATES = {"utility": "U, SD", "gain_over_reference": "over reference", "gain_over_linear": "over linear rule"}
NARROWEST = 114  # columns of text that the table needs in a terminal


@dataclass(frozen=True)
class Summary:
    """What is said at the end of a run; every cell is finished text."""

    heading: str
    arms: tuple[Arm, ...]
    table: pd.DataFrame  # one row per arm, in their order; the first column is the arm's label
    notes: list[str]
    places: dict[str, str]  # what there is -> where it is, or the command that shows it

    @classmethod
    def read(cls, project: Project) -> Summary:
        """Read it from a finished evaluation; EagleError where there is none yet."""
        path = project.table(2)
        if not path.exists():
            raise user_error(f"{path} does not exist", mend=f"run {run_everything(project.root)} or `dvc repro` first")
        table, metrics = read_comparison(path), read_metrics(project.metrics)
        arms, cases = load_arms(project), metrics["cases"]
        heading = (
            f"Held-out {cases['noun']}s and people: {cases['anchors']} x {cases['users']}, {cases['horizon']} changes "
            f"each; {100 * cases['confidence']:.0f}% intervals"
        )
        return cls(heading, arms, _cells(table, arms), _notes(arms, metrics, project), _places(project))


def _estimate(row: Any, name: str) -> str:
    if pd.isna(row[name]):
        return ""
    value, low, high = (number(row[f"{name}{part}"], sign=name != "utility") for part in ("", "_low", "_high"))
    return value if pd.isna(row[f"{name}_low"]) else f"{value} [{low}, {high}]"


def _cells(table2: pd.DataFrame, arms: Sequence[Arm]) -> pd.DataFrame:
    """Return Table 2 in short: estimates with their intervals in brackets,
    a mark where a gain comes with more defects.
    """
    table = table2.set_index("arm")
    rows = [table.loc[arm.name] for arm in arms]
    marks = [" †" if row["more_defects_than_reference"] else "" for row in rows]
    cells: dict[str, list[str]] = {"": [f"{arm.label}{mark}" for arm, mark in zip(arms, marks, strict=True)]}
    cells |= {title: [_estimate(row, name) for row in rows] for name, title in ESTIMATES.items()}
    cells["user pref."] = [number(row["user_preference"]) for row in rows]
    cells["defects"] = ["" if pd.isna(row["defects"]) else f"{100 * row['defects']:.0f}%" for row in rows]
    return pd.DataFrame(cells)


def _notes(arms: Sequence[Arm], metrics: dict[str, Any], project: Project) -> list[str]:
    marked = any(metrics[arm.name]["more_defects_than_reference"] for arm in arms)
    encoder = project.stage_metrics("encoder")
    warning = encoder_warning(read_json(encoder)) if encoder.exists() else ""
    notes = [warning] if warning else []
    notes += ["† gains, but with more defective texts than its reference"] if marked else []
    checks = read_bounds(project)
    for arm in (arm for arm in arms if arm.is_main):
        against = [compared(metrics[arm.name].get(name)) for name in ("gain_over_reference", "gain_over_linear")]
        notes.append(f"{arm.label}: against its reference {against[0]}, against the linear rule {against[1]}.")
        own = checks.get(arm.name, [])
        notes += [bounds_sentence(arm, own)] if outside(own) else []
    at_budgets = budget_sentence(read_comparison(project.budget), arms) if project.budget.exists() else ""
    return [*notes, at_budgets] if at_budgets else notes


def _places(project: Project) -> dict[str, str]:
    """Name only what is there: a run that stopped after the evaluation has no report yet."""
    found = {
        "report": project.report,
        "best gaps": project.gaps,
        "every text": project.trajectories,
        "data checks": project.data_docs_page,
    }
    places = {name: str(path) for name, path in found.items() if path.exists()}
    if "best gaps" in places:
        places["best gaps"] = "eagle gaps"
    made = Registration.load(project)
    if made is not None:
        places["agent"] = f"{made.model} version {made.version}, champion {made.champion}: {made.decision['reason']}"
        store = made.tracking_uri
        local = f"DO_NOT_TRACK=true mlflow ui --backend-store-uri {shlex.quote(store)}"
        places["experiments"] = store if store.startswith("http") else local
    return places


def markdown(project: Project) -> str:
    """Return the summary as Markdown."""
    said = Summary.read(project)
    rows = [list(said.table.columns), ["---"] * said.table.shape[1], *said.table.to_numpy().tolist()]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    listed = [f"- {note}" for note in said.notes] + [f"- {name}: `{place}`" for name, place in said.places.items()]
    return "\n".join([said.heading, "", *lines, "", *listed])


def print_summary(project: Project, file: TextIO | None = None, width: int | None = None) -> None:
    """Print the summary; EagleError where there is nothing yet."""
    said = Summary.read(project)
    shown = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for title in said.table.columns:
        shown.add_column(title, justify="right" if title else "left", no_wrap=True)
    for arm, row in zip(said.arms, said.table.itertuples(index=False), strict=True):
        shown.add_row(*(escape(cell) for cell in row), style="bold" if arm.kind == "eagle" else "")
    console = Console(file=file, width=width, highlight=False)
    console.width = max(console.width, NARROWEST)
    console.print(f"\n{said.heading}\n", markup=False)
    console.print(shown)
    places = [f"{name:12} {place}" for name, place in said.places.items()]
    console.print("\n".join([*said.notes, "", *places]), markup=False, soft_wrap=True)
