"""A schedule on a Prefect server over PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from pathlib import Path

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.workers.process import ProcessWorker

from tests.flows.other_server import at_server
from tests.servers.conftest import SECONDS
from tests.servers.postgres import Cluster

SMALL = """
from pathlib import Path

from prefect import flow


@flow
def small() -> None:
    with Path({path!r}).open("a") as file:
        file.write("ran\\n")
"""


def test_a_scheduled_flow_runs_and_completes(cluster: Cluster, prefect_api: str, tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text(SMALL.format(path=str(tmp_path / "ran.txt")), encoding="utf-8")
    with at_server(prefect_api), get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="eagle", type="process"))
        deployed = flow.from_source(str(tmp_path), "small.py:small").deploy(
            "often", work_pool_name="eagle", interval=timedelta(seconds=10), print_next_steps=False
        )
        end = time.monotonic() + SECONDS
        done = []
        while not done and time.monotonic() < end:
            asyncio.run(ProcessWorker("eagle", prefetch_seconds=8).start(run_once=True))
            done = [run for run in client.read_flow_runs() if run.state and run.state.is_final()]
    assert {run.deployment_id for run in done} == {deployed}
    assert [run.state_name for run in done] == ["Completed"] * len(done)
    assert (tmp_path / "ran.txt").read_text(encoding="utf-8") == "ran\n" * len(done)
    kept = cluster.restored("prefect", tmp_path / "prefect.dump")
    states = cluster.run("psql", "-At", "-d", kept, "-c", "SELECT DISTINCT state_type FROM flow_run")
    assert "COMPLETED" in states.split()
