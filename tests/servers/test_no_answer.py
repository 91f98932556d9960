"""A tracking server that is not there, or that fails in the middle: one message, and nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eagle.cli import app
from eagle.config.stages import run_stage
from eagle.core.artifacts import content_hash, write_json
from eagle.core.errors import EagleError
from eagle.registry.kept import forget_lost, store_line
from tests.report.registered import FIRST
from tests.servers.conftest import free_port
from tests.servers.scripted_agent import registrable_run

pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint")  # MLflow's own, when it is first imported
NO_ANSWER = "the MLflow server of registry.tracking_uri does not answer"


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address at which nothing listens, asked once."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return f"http://127.0.0.1:{free_port()}"


class _Failing(BaseHTTPRequestHandler):
    """Answers what a client asks to see whether the server is there, and nothing else."""

    def do_POST(self) -> None:
        found = self.path.endswith("/experiments/search")
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200 if found else 503)
        self.end_headers()
        self.wfile.write(b"{}" if found else b"")

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that fails after the first question."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Failing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("address", ["nobody", "failing"])
def test_the_registration_says_what_to_do_and_leaves_all_as_it_was(
    address: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    uri = request.getfixturevalue(address)
    config, project = registrable_run(Path(), uri)
    before = content_hash(tmp_path)
    with pytest.raises(EagleError, match=NO_ANSWER) as caught:
        run_stage("register", config, project)
    (problem,) = caught.value.problems
    assert uri.rpartition(":")[2] in problem.found and "give the same command again" in problem.mend
    assert not project.registration.exists() and not project.registered.exists()
    project.cost("register").unlink(missing_ok=True)  # also of a stage that failed
    assert content_hash(tmp_path) == before


def test_an_agent_is_not_said_to_be_missing(nobody: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    registrable_run(Path(), nobody)
    done = CliRunner().invoke(app, ["steer", "--user", "u1", "--item", "i1"], catch_exceptions=False)
    assert done.exit_code == 2
    assert (
        done.stderr.count(NO_ANSWER) == 1
        and "is not in the registry" not in done.stderr
        and "Traceback" not in done.stderr
    )


def test_a_pipeline_asks_before_anything_is_registered(nobody: str, tmp_path: Path) -> None:
    config, project = registrable_run(tmp_path, nobody)
    assert not project.registration.exists()
    with pytest.raises(EagleError, match=NO_ANSWER):
        forget_lost(config.registry, project)


def test_what_was_registered_is_not_said_to_be_lost(failing: str, tmp_path: Path) -> None:
    """By a server that goes away between two questions."""
    config, project = registrable_run(tmp_path, failing)
    FIRST.write(project)
    write_json(project.registered, {"model": "eagle-agent"})
    for ask in (forget_lost, store_line):
        with pytest.raises(EagleError, match=NO_ANSWER):
            ask(config.registry, project)
    assert project.registered.exists()
