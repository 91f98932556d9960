"""Writes the figures of docs/status.md from the last run's files: ``python -m eagle.report.status``.

The page's own words stay; what stands between the two markers is made anew.
"""

from __future__ import annotations

from eagle.core.artifacts import read_json
from eagle.core.commands import run_everything
from eagle.core.errors import user_error
from eagle.core.project import Project
from eagle.evaluation.stored import read_metrics
from eagle.report.summary import Summary

START = "<!-- written by python -m eagle.report.status: do not edit -->"
END = "<!-- end of what the command writes -->"
LONGEST = 6  # stages that the table of costs names


def figures(project: Project) -> str:
    """Return the marked part as Markdown: the run's table, what it says, and what it cost.

    EagleError where the project has no finished run.
    """
    costs = project.total_costs
    if not costs.exists():
        raise user_error(f"{costs} does not exist", mend=f"run {run_everything(project.root)} or `dvc repro` first")
    said = Summary.read(project)
    seed = read_metrics(project.metrics)["cases"].get("seed")
    heading = said.heading if seed is None else f"{said.heading}; seed {seed}"
    notes = [f"- {note}" for note in said.notes]
    table = _table([str(name) for name in said.table.columns], said.table.to_numpy().tolist())
    return "\n".join([f"{heading}.", "", *table, "", *notes, "", *_costs(read_json(costs))])


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]


def _costs(costs: dict) -> list[str]:
    total = costs["total"]
    stages = sorted(costs["stages"].items(), key=lambda stage: -stage[1]["seconds"])
    rows = [_row(name, cost) for name, cost in stages[:LONGEST]]
    head = ["stage", "seconds", "peak memory, GiB", "tokens written"]
    return _table(head, [*rows, _row(f"all {len(stages)} stages", total)])


def _row(name: str, cost: dict) -> list[str]:
    return [name, f"{cost['seconds']:,.0f}", f"{cost['peak_memory_mib'] / 1024:.1f}", f"{cost['new_tokens']:,}"]


def rewritten(page: str, part: str) -> str:
    """Return the page with ``part`` between its markers; EagleError where it has not both, in order."""
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise user_error("the page of the status has lost its markers", expected=f"{START} ... {END}")
    return f"{before}{START}\n\n{part}\n\n{END}{after}"


def main(project: Project = Project()) -> None:  # noqa: B008  a frozen value
    """Rewrite docs/status.md of the project."""
    page = project.status_page
    page.write_text(rewritten(page.read_text(encoding="utf-8"), figures(project)), encoding="utf-8")


if __name__ == "__main__":
    main()
