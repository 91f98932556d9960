"""The line from ``eagle stage`` to the fork server that a flow keeps (flows/fork_server.py): ask, wait, pass Ctrl-C on.

The server takes only what it would itself import: from the same files, not changed since. Where none is named, or it
cannot help, the command does its work itself.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from pathlib import Path

ADDRESS = "EAGLE_FORK_SERVER"  # names the socket to child processes
STREAMS = (1, 2)  # no stage reads its input
INTERRUPT = b"interrupt"


def code_on_disk() -> dict[str, int]:
    """Return when each module of the package was last changed."""
    return {str(path): path.stat().st_mtime_ns for path in sorted(Path(__file__).parents[1].rglob("*.py"))}


def run_there(arguments: Sequence[str]) -> int | None:
    """Have the server run ``eagle`` with these arguments and return the exit code; None where it has to be run here."""
    environment = dict(os.environ)
    address = environment.pop(ADDRESS, None)
    if address is None:
        return None
    request = json.dumps([code_on_disk(), list(arguments), os.getcwd(), environment]).encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        try:
            server.connect(address)
            socket.send_fds(server, [request], STREAMS)
            if not server.recv(1):
                return None
        except OSError:  # not ready yet, gone, or the request is too long
            return None
        return _wait(server)


def _wait(server: socket.socket) -> int:
    """Return the exit code that a shell would see, and pass Ctrl-C on."""
    while True:
        try:
            answer = server.recv(16)
            break
        except KeyboardInterrupt:
            server.send(INTERRUPT)
    code = int(answer) if answer else 1
    return code if code >= 0 else 128 - code
