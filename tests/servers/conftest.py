"""One MLflow server and one Prefect server on a private PostgreSQL, and an S3 store beside them, for all tests here."""

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
class Servers:
    """Addresses of what runs."""

    cluster: postgres.Cluster
    mlflow: str
    prefect: str
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
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """All of them, started side by side: each imports for seconds before it answers."""
    programs = postgres.programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs are not installed here (Debian, Ubuntu: apt-get install postgresql)")
    folder = tmp_path_factory.mktemp("servers")
    ports = {name: str(free_port()) for name in ("moto", "mlflow", "prefect")}
    store, mlflow, prefect = (f"http://127.0.0.1:{port}" for port in ports.values())
    keys = {"MLFLOW_S3_ENDPOINT_URL": store, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with ExitStack() as running:
        cluster = running.enter_context(postgres.running(programs))
        for database in ("mlflow", "prefect"):
            cluster.run("createdb", database)
        moto = running.enter_context(program(folder, "moto.server", "-p", ports["moto"]))
        tracking = running.enter_context(
            program(
                folder,
                *("mlflow", "server", "--port", ports["mlflow"], "--workers", "1"),
                *("--backend-store-uri", cluster.address("mlflow")),
                *("--artifacts-destination", f"s3://{BUCKET}/mlflow"),
                MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",
                **keys,
            )
        )
        orchestration = running.enter_context(
            program(
                folder,
                *("prefect", "server", "start", "--port", ports["prefect"], "--no-ui"),
                PREFECT_HOME=str(folder / "prefect"),
                PREFECT_API_DATABASE_CONNECTION_URL=cluster.address("prefect", "postgresql+asyncpg"),
                PREFECT_API_BLOCKS_REGISTER_ON_START="false",
                PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS="1",
            )
        )
        moto(store)
        subprocess.run([sys.executable, MAKE_BUCKET, BUCKET], env=os.environ | keys, check=True)
        tracking(f"{mlflow}/health")
        orchestration(f"{prefect}/api/health")
        yield Servers(cluster, mlflow, f"{prefect}/api", store)
