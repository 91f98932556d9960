"""Stage report: the page, the costs and the list of gaps; and the few lines at the end of a run."""

from __future__ import annotations

from eagle.config import Config
from eagle.core.artifacts import complete_or_absent, write_json, write_table
from eagle.core.project import Project
from eagle.evaluation.bounds import check_bounds, write_bounds
from eagle.gaps.find import find_gaps
from eagle.report.accounts import total_costs
from eagle.report.inputs import Inputs
from eagle.report.page import render


def run(config: Config, project: Project) -> None:
    """Write reports/report.html, reports/costs.json, reports/bounds.json and reports/gaps.parquet."""
    inputs = Inputs.load(project)
    gaps = find_gaps(inputs.trajectories, inputs.arms, inputs.latent, inputs.titles, inputs.profiles)
    checks = {
        arm: check_bounds(config.registry.bounds, inputs.metrics[arm.name], inputs.curves[arm.curve])
        for arm in inputs.trained
        if arm.curve in inputs.curves
    }
    page = render(inputs, gaps, checks)
    write_table(project.gaps, gaps, "gaps", inputs=[project.trajectories])
    write_json(project.total_costs, total_costs(inputs.costs))
    write_bounds(project, checks)
    with complete_or_absent(project.report) as draft:
        draft.write_text(page, encoding="utf-8")
