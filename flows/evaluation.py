"""All arms on held-out anchors and users, the report, and the registry."""

from __future__ import annotations

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from eagle.config import load_config
from eagle.core.project import Project
from eagle.registry.kept import forget_lost
from eagle.report.summary import markdown
from flows import fork_server
from flows.dvc import bring_up_to_date
from flows.names import dated


@flow(
    name="evaluation",
    flow_run_name=dated("evaluation"),
    description="Held-out comparison of all arms, the report, MLflow runs and the champion.",
)
def evaluation() -> None:
    with fork_server.running():
        bring_up_to_date("held-out comparison", ["evaluate"])
        forget_lost(load_config().registry, Project())
        bring_up_to_date("report and registration", ["report", "register"])
        create_markdown_artifact(
            markdown(Project()), key="results", description="Final utility of every arm on held-out cases"
        )
