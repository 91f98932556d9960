"""The few lines at the end of a run: the table, and where everything is."""

from __future__ import annotations

import pandas as pd

from eagle.errors import user_error
from eagle.project import Project


def table(project: Project) -> pd.DataFrame:
    """Return reports/table2.csv: one row per arm."""
    path = project.reports / "table2.csv"
    if not path.exists():
        raise user_error(f"{path} does not exist", mend="run `make run` or `dvc repro` first")
    return pd.read_csv(path)


def summary(project: Project) -> str:
    return table(project).to_string(index=False)


def markdown(project: Project) -> str:
    return "```\n" + summary(project) + "\n```\n"
