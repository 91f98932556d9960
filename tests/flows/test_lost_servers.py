"""A server that goes away while a pipeline runs: one message with the remedy, and the stages' results stay."""

from __future__ import annotations

import json
import logging
import signal
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES

from eagle.config import Config, parse_config
from eagle.config.parameters import params_yaml
from eagle.config.stages import all_instances
from eagle.core.fork_client import ADDRESS
from eagle.core.project import Project
from flows.pipeline import main
from tests.dvc_here import dvc
from tests.flows.conftest import write_dvc
from tests.flows.other_server import at_server
from tests.report.registered import FIRST

GONE = Path("gone")
"""The file with which a stage ends the relay."""


class Relay(socketserver.ThreadingTCPServer):
    """Passes connections on to a server, until that is said to be gone."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self._behind = (urlsplit(behind).hostname, urlsplit(behind).port)

    def finish_request(self, request: socket.socket, _: object) -> None:
        if not GONE.exists():
            with socket.create_connection(self._behind) as server:
                back = threading.Thread(target=_pass, args=(server, request), daemon=True)
                back.start()
                _pass(request, server)
                back.join()


def _pass(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while (block := source.recv(1 << 16)) and not GONE.exists():
            target.sendall(block)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class Tracking(ThreadingHTTPServer):
    """An MLflow server that has version 1 as champion, and dies when a second client opens it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), TrackingAnswer)
        self.clients = 0


class TrackingAnswer(BaseHTTPRequestHandler):
    """One answer of :class:`Tracking`."""

    server: Tracking

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.clients += self.path.endswith("/experiments/search")
        self.send_response(200 if self.server.clients < 2 else 503)
        self.end_headers()
        version = {"name": "eagle-agent", "version": "1"}
        self.wfile.write(json.dumps({"artifact_uri": "mlflow-artifacts:/agent", "model_version": version}).encode())

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[str]:
    """Serve in a thread, and give the address."""
    with server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def tracebacks() -> Iterator[list[str]]:
    """What Prefect logs with a traceback."""
    found: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info:
                found.append(record.getMessage())

    handler = Handler()
    logging.getLogger("prefect").addHandler(handler)
    yield found
    logging.getLogger("prefect").removeHandler(handler)


@pytest.fixture
def project(toy: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The project of one-line stages; ``main`` takes Ctrl-C for itself, which is given back."""
    monkeypatch.setenv(ADDRESS, "/nowhere")  # stages of one line need no fork server
    before = signal.getsignal(signal.SIGINT)
    yield toy
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("prefect_server")
def test_a_prefect_server_that_goes_away_leaves_the_results_and_a_remedy(
    project: Path, capsys: pytest.CaptureFixture[str], tracebacks: list[str]
) -> None:
    write_dvc(project, {"factors": f"touch {GONE}; echo factors >> order.txt; echo x > out_factors"})
    with (
        serving(Relay(str(PREFECT_API_URL.value()))) as address,
        at_server(f"{address}/api", {PREFECT_CLIENT_MAX_RETRIES: 0}),
    ):
        assert main() == 2
    said = capsys.readouterr().err
    assert "the Prefect server stopped answering while the pipeline ran" in said and address in said
    assert "prefect server start" in said and "the results of all finished stages are kept" in said
    assert "Traceback" not in said and not tracebacks
    done = (project / "order.txt").read_text(encoding="utf-8").split()
    assert done == all_instances(Config())[: len(done)] and done[-1] == "profiles"  # what was under way was finished


@pytest.mark.filterwarnings("ignore:.*Any type hint")  # MLflow's own, when it is first imported
def test_a_tracking_server_that_goes_away_before_the_end_leaves_the_table_and_a_remedy(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (project / "dvc.yaml").write_text("stages: {fetch: {cmd: echo x > out, outs: [out]}}", encoding="utf-8")
    dvc(project, "repro", "-q")
    with serving(Tracking()) as address:
        config = parse_config({"registry": {"tracking_uri": address}})
        Project().params.write_text(params_yaml(config), encoding="utf-8")
        replace(FIRST, tracking_uri=address).write(Project())
        assert main() == 2
    told = capsys.readouterr()
    assert "every stage is up to date" in told.out and "Anchor (unchanged)" in told.out
    assert "the MLflow server of registry.tracking_uri does not answer" in told.err and address[7:] in told.err
    assert "what was made is kept" in told.err
