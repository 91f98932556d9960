"""The table of a run and where everything is, as Markdown for Prefect's page."""

from __future__ import annotations

from typing import Any

import pandas as pd

from eagle.artifacts import read_json
from eagle.errors import user_error
from eagle.project import Project
from eagle.report.words import arm_name, number

COLUMNS = {
    "utility": "U",
    "gain_over_reference": "gain over its reference",
    "gain_over_linear": "gain over linear rule",
    "user_preference": "user preference",
    "rater_preference": "rater preference",
}


def _interval(row: pd.Series, name: str) -> str:
    if pd.isna(row[name]):
        return ""
    return f"{number(row[name])} [{number(row[f'{name}_low'])}, {number(row[f'{name}_high'])}]"


def table(project: Project) -> pd.DataFrame:
    """Return the short table: one row per arm, estimates with their intervals, the share of defective texts."""
    path = project.reports / "table2.csv"
    if not path.exists():
        raise user_error(f"{path} does not exist", mend="run `make run` or `dvc repro` first")
    full = pd.read_csv(path)
    short: dict[str, Any] = {"arm": [arm_name(arm) for arm in full["arm"]]}
    short |= {label: [_interval(row, name) for _, row in full.iterrows()] for name, label in COLUMNS.items()}
    short["defects"] = [number(value) for value in full["defects"]]
    return pd.DataFrame(short)


def _places(project: Project) -> list[tuple[str, str]]:
    places = [
        ("report", str(project.report)),
        ("texts", f"{project.trajectories} (eagle gaps; eagle steer --user U --item I)"),
        ("MLflow", "mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db"),
        ("data checks", str(project.data_docs / "index.html")),
    ]
    registration = project.reports / "registration.json"
    if registration.exists():
        made = read_json(registration)
        places.append(
            ("agent", f"{made['model']} version {made['version']}; champion is version {made['champion']}: {made['decision']['reason']}")
        )
    return places


def markdown(project: Project) -> str:
    """Return the table and the places."""
    short = table(project)
    cells: list[list[str]] = [list(short.columns), ["---"] * short.shape[1], *short.astype(str).to_numpy().tolist()]
    rows = ["| " + " | ".join(row) + " |" for row in cells]
    return "\n".join(rows) + "\n\n" + "\n".join(f"- {what}: `{where}`" for what, where in _places(project))
