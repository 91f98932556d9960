"""The few lines at the end of `make run` and of `eagle report`."""

from __future__ import annotations

from typing import Any, TextIO

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from eagle.artifacts import read_json
from eagle.errors import user_error
from eagle.project import Project
from eagle.report.words import arm_name, compared, number

COLUMNS = (
    ("utility", "U, SD", 2, False),
    ("gain_over_reference", "over reference", 2, True),
    ("gain_over_linear", "over linear rule", 2, True),
)
NARROWEST = 114  # columns of text that the table needs


def _cell(row: Any, name: str, digits: int, sign: bool) -> str:
    if pd.isna(row[name]):
        return ""
    if pd.isna(row[f"{name}_low"]):
        return number(row[name], digits, sign)
    return f"{number(row[name], digits, sign)} [{number(row[f'{name}_low'], digits, sign)}, {number(row[f'{name}_high'], digits, sign)}]"


def summary_table(table2: pd.DataFrame) -> Table:
    """Return Table 2 in short: one row per arm, intervals in brackets."""
    shown = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    shown.add_column("", no_wrap=True)
    for _, title, _, _ in COLUMNS:
        shown.add_column(title, justify="right", no_wrap=True)
    for title in ("user pref.", "defects"):
        shown.add_column(title, justify="right")
    for _, row in table2.iterrows():
        style = "bold" if str(row["arm"]).startswith("eagle_") else ""
        mark = " †" if bool(row["more_defects_than_reference"]) else ""
        defects = "" if pd.isna(row["defects"]) else f"{100 * row['defects']:.0f}%"
        cells = [_cell(row, name, digits, sign) for name, _, digits, sign in COLUMNS]
        line = (arm_name(str(row["arm"])) + mark, *cells, number(row["user_preference"]), defects)
        shown.add_row(*(escape(cell) for cell in line), style=style)
    return shown


def print_summary(project: Project, file: TextIO | None = None, width: int | None = None) -> None:
    """Print the table and where to find everything; EagleError where there is nothing yet."""
    path = project.reports / "table2.csv"
    if not path.exists():
        raise user_error(f"{path} does not exist", mend="run `make run` or `dvc repro` first")
    table, metrics = pd.read_csv(path), read_json(project.metrics)
    console = Console(file=file, width=width, highlight=False)
    console.width = max(console.width, NARROWEST)
    cases = metrics["cases"]
    console.print(
        f"\nHeld-out {cases['noun']}s and people: {cases['anchors']} x {cases['users']}, {cases['horizon']} changes each; "
        f"{100 * cases['confidence']:.0f}% intervals\n",
        markup=False,
    )
    console.print(summary_table(table))
    if table["more_defects_than_reference"].astype(bool).any():
        console.print("† gains, but with more defective texts than its reference", markup=False)
    for arm in (a for a in table["arm"] if a.startswith("eagle_") and not a.endswith("_listed")):
        against = [compared(metrics[arm].get(name)) for name in ("gain_over_reference", "gain_over_linear")]
        console.print(f"{arm_name(arm)}: against its reference {against[0]}, against the linear rule {against[1]}.", markup=False)
    places = {
        "report": project.report,
        "best gaps": "eagle gaps",
        "every text": project.trajectories,
        "experiments": "mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db",
    }
    console.print("\n" + "\n".join(f"{name:12} {place}" for name, place in places.items()), markup=False, soft_wrap=True)
