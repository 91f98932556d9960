"""transformers' own OpenAI-compatible server over tiny models, and a line to it that fails as often as one likes."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

AnyLine = TypeVar("AnyLine", bound="Line")
REVISION = "0" * 40
FAULTS = ("429", "500", "garbage", "nothing", "empty", "too long", "lost", "late")


def publish(hub: Path, name: str, folder: Path, base: Path | None = None) -> Path:
    """Put a model into a folder laid out like a hub's cache, so that the server lists it by name.

    An adapter needs the configuration and the tokenizer of its ``base`` beside it. Sampling has to be on by default:
    the server takes a request's temperature, but not that it means to draw.
    """
    snapshot = hub / f"models--{name.replace('/', '--')}" / "snapshots" / REVISION
    shutil.copytree(base or folder, snapshot, ignore=shutil.ignore_patterns("*.safetensors") if base else None)
    shutil.copytree(folder, snapshot, dirs_exist_ok=True)
    settings = json.loads((snapshot / "generation_config.json").read_text())
    (snapshot / "generation_config.json").write_text(json.dumps(settings | {"do_sample": True, "top_k": 0}))
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs/main").write_text(REVISION)
    return snapshot


@contextmanager
def served(home: Path) -> Iterator[int]:
    """Run ``transformers serve`` over the models published in ``home``/hub and yield its port once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-c", "from transformers.cli.transformers import main; main()", "serve"]
    surroundings = os.environ | {"HF_HOME": str(home), "HF_HUB_CACHE": str(home / "hub"), "HF_HUB_OFFLINE": "1"}
    with (
        (home / "server.log").open("wb") as log,
        subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"],
            env=surroundings,
            stdout=log,
            stderr=log,
        ) as server,
    ):
        try:
            while not _healthy(port):
                assert server.poll() is None, (home / "server.log").read_text()
                time.sleep(0.1)
            yield port
        finally:
            server.kill()


def _healthy(port: int) -> bool:
    with suppress(OSError):
        return _ask(port, "GET", "/health")[0] == 200
    return False


def _ask(port: int, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=300)) as asked:
        asked.request(method, path, body, {"Content-Type": "application/json"})
        answer = asked.getresponse()
        return answer.status, answer.read()


class Line(ThreadingHTTPServer):
    """Passes requests on to the server at ``port``, one at a time, since that server has one generator of random
    numbers for all.

    A share ``failing`` of the requests, drawn at random, meets one of FAULTS in turn instead. ``faults`` counts them.
    """

    daemon_threads = True

    def __init__(self, port: int, *, failing: float = 0.0, seed: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = port
        self.failing = failing
        self.faults: Counter[str] = Counter()
        self.answered = 0
        self._random = random.Random(seed)
        self._kinds = itertools.cycle(FAULTS)
        self._turn, self._lock = threading.Lock(), threading.Lock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def draw(self) -> str | None:
        """Return what goes wrong with the next request, if anything."""
        with self._turn:
            if self._random.random() >= self.failing:
                return None
            fault = next(self._kinds)
            self.faults[fault] += 1
            return fault

    def pass_on(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        with self._lock:
            self.answered += method == "POST"
            return _ask(self.behind, method, path, body)

    def handle_error(self, *_: Any) -> None:
        """A client that did not wait for its answer is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: Line
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send(*self.server.pass_on("GET", self.path, b""))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fault = self.server.draw()
        if fault is None:
            self.send(*self.server.pass_on("POST", self.path, body))
        elif fault == "late":
            self.connection.recv(1)  # until the client gives up
        elif fault == "lost":
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.send(*_FAULTY[fault])
        self.close_connection = fault in ("late", "lost")

    def send(self, status: int, answer: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


_FAULTY = {
    "429": (429, b'{"error": "slow down"}'),
    "500": (500, b"Internal Server Error"),
    "garbage": (200, b"\x00\xff<html>not what you asked for"),
    "nothing": (200, b""),
    "empty": (200, b'{"choices": [{"index": 0, "text": "", "finish_reason": null}]}'),
    "too long": (200, json.dumps({"choices": [{"text": "and so on " * 20_000, "finish_reason": "length"}]}).encode()),
}


@contextmanager
def running(line: AnyLine) -> Iterator[AnyLine]:
    """Let a line answer while the block runs."""
    with line:
        thread = threading.Thread(target=line.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield line
        finally:
            line.shutdown()
            thread.join()


@contextmanager
def line_to(port: int, *, failing: float = 0.0, seed: int = 0) -> Iterator[Line]:
    """Run a :class:`Line`."""
    with running(Line(port, failing=failing, seed=seed)) as line:
        yield line
