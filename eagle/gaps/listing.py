"""The library side of ``eagle gaps``: the best gaps of the catalogue that the last run found."""

from __future__ import annotations

import json

import pandas as pd

from eagle.core.artifacts import read_table
from eagle.core.project import Project


def best_gaps(project: Project, top: int) -> pd.DataFrame:
    """Return the ``top`` best rows of reports/gaps.parquet."""
    return read_table(project.gaps, "gaps").head(top)


def render(gaps: pd.DataFrame, *, as_json: bool) -> str:
    """Return the gaps as JSON, or as text: for whom, from which anchor, the text, its gain, and what lies near it."""
    if as_json:
        return gaps.to_json(orient="records", indent=2, force_ascii=False) or "[]"
    return (
        "\n\n".join(_block(row) for row in json.loads(gaps.to_json(orient="records") or "[]")) or "no gaps were found"
    )


def _block(row: dict) -> str:
    near = ", ".join(
        f"{title} ({away:.2f})" for title, away in zip(row["nearest_titles"], row["nearest_distances"], strict=True)
    )
    return "\n".join(
        [
            f"{row['rank']}. for user {row['user']}: {row['profile']}",
            f"   from   {row['anchor_title']} (item {row['anchor']}): {row['anchor_text']}",
            f"   to     {row['text']}",
            f"   by     {' | '.join(row['actions'])}",
            f"   gain   {row['gain']:+.2f} SD of U over the anchor (U {row['utility']:.2f}); distance "
            f"{row['distance']:.2f}",
            f"   near   {near}",
        ]
    )
