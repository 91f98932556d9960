"""Candidate actions, their transitions, and the exploration design over them."""

from __future__ import annotations

from prefect import flow

from flows import fork_server
from flows.dvc import bring_up_to_date
from flows.names import dated


@flow(
    name="action-set design",
    flow_run_name=dated("action-set design"),
    description="Candidate actions, cached transitions, G-optimal design.",
)
def action_design() -> None:
    with fork_server.running():
        bring_up_to_date("actions and transitions", ["actions", "environment", "transitions"])
        bring_up_to_date("design", ["design"])
