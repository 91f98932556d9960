"""A download cache and a web server of the test's own."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty download cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("EAGLE_CACHE", str(folder))
    return folder


@dataclass
class Site:
    """What the server serves and how badly; ``asked`` is filled with (path, Range header or "")."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    breaks: list[int] = field(default_factory=list)
    """Bytes after which the next answers are cut off, one entry per answer."""
    status: list[int] = field(default_factory=list)
    """Statuses of the next answers, before files are served."""
    asked: list[tuple[str, str]] = field(default_factory=list)


class _Handler(http.server.BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.site.asked.append((self.path, wanted))
        content = self.site.files.get(self.path.lstrip("/"))
        if content is None or (self.site.status and not self.path.endswith(".md5")):
            return self._bare(404 if content is None else self.site.status.pop(0))
        start = int(re.findall(r"\d+", wanted)[0]) if wanted and self.site.ranges else 0
        if start >= len(content) > 0 and start:
            return self._bare(416, {"Content-Range": f"bytes */{len(content)}"})
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        if self.site.breaks and not self.path.endswith(".md5"):
            body = body[: self.site.breaks.pop(0)]
            self.close_connection = True
        self.wfile.write(body)
        return None

    def _bare(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A local web server that knows byte ranges and can break off; downloads do not wait between tries."""
    monkeypatch.setattr("eagle.data.sources.download.time.sleep", lambda seconds: None)
    served = Site()
    handler = type("Handler", (_Handler,), {"site": served})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        served.address = f"http://127.0.0.1:{server.server_address[1]}/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        server.shutdown()
        thread.join()
