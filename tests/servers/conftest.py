"""An MLflow server with an S3 store, and a Prefect server, each on a private PostgreSQL and started by who needs it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.servers import postgres

MAKE_BUCKET = Path(__file__).parents[2] / "deploy/bucket.py"
BUCKET = "eagle-artifacts"
SECONDS = 600  # against hanging: a busy machine fails no test


@dataclass(frozen=True)
class Tracking:
    """Addresses of an MLflow server and of its store of artifacts."""

    cluster: postgres.Cluster
    mlflow: str
    store: str

    def stored(self) -> list[str]:
        """Return the names of all objects in the store of artifacts."""
        listing = httpx.get(f"{self.store}/{BUCKET}?list-type=2&max-keys=1000").raise_for_status().text
        return [part.partition("</Key>")[0] for part in listing.split("<Key>")[1:]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def program(folder: Path, *words: str, **environment: str) -> Iterator[Callable[[str], None]]:
    """Run a Python module, and give what waits until an address of it answers; its children end with it."""
    log = folder / f"{words[0]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            env={**os.environ, **environment},
            cwd=folder,
            stdout=output,
            stderr=output,
        )

    def wait(address: str) -> None:
        end = time.monotonic() + SECONDS
        while not _answers(address):
            assert process.poll() is None and time.monotonic() < end, log.read_text(encoding="utf-8")[-3000:]
            time.sleep(0.2)

    try:
        yield wait
    finally:
        process.terminate()
        process.wait(60)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address).status_code < 500
    except httpx.TransportError:
        return False


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    programs = postgres.programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs are not installed here (Debian, Ubuntu: apt-get install postgresql)")
    with postgres.running(programs) as found:
        yield found


@pytest.fixture(scope="session")
def tracking(cluster: postgres.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracking]:
    """MLflow and its store, started side by side: each imports for seconds before it answers."""
    folder, ports = tmp_path_factory.mktemp("tracking"), [str(free_port()) for _ in range(2)]
    mlflow, store = (f"http://127.0.0.1:{port}" for port in ports)
    keys = {"MLFLOW_S3_ENDPOINT_URL": store, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    cluster.run("createdb", "mlflow")
    with ExitStack() as running:
        moto = running.enter_context(program(folder, "moto.server", "-p", ports[1]))
        server = running.enter_context(
            program(
                folder,
                *("mlflow", "server", "--port", ports[0], "--workers", "1"),
                *("--backend-store-uri", cluster.address("mlflow")),
                *("--artifacts-destination", f"s3://{BUCKET}/mlflow"),
                MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",
                **keys,
            )
        )
        moto(store)
        subprocess.run([sys.executable, MAKE_BUCKET, BUCKET], env=os.environ | keys, check=True)
        server(f"{mlflow}/health")
        yield Tracking(cluster, mlflow, store)


@pytest.fixture(scope="session")
def prefect_api(cluster: postgres.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prefect server."""
    folder, port = tmp_path_factory.mktemp("orchestration"), str(free_port())
    cluster.run("createdb", "prefect")
    with program(
        folder,
        *("prefect", "server", "start", "--port", port, "--no-ui"),
        PREFECT_HOME=str(folder / "prefect"),
        PREFECT_API_DATABASE_CONNECTION_URL=cluster.address("prefect", "postgresql+asyncpg"),
        PREFECT_API_BLOCKS_REGISTER_ON_START="false",
        PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS="1",
    ) as server:
        server(f"http://127.0.0.1:{port}/api/health")
        yield f"http://127.0.0.1:{port}/api"
