"""A process that has the heavy modules ready and forks itself for every stage, which then starts in milliseconds.

DVC runs each stage as a command of its own, and importing torch, transformers, peft, MLflow or Great Expectations takes
such a command 1 to 9 seconds [M: 78 s of a run of the default]. A flow keeps one server while it runs
(:func:`running`), and ``eagle stage`` has itself carried out there (:mod:`eagle.core.fork_client`) as if it ran by
itself: its folder, environment, output, exit code and signals. Linux only: elsewhere nothing changes. What it buys, and
when it should go, is in docs/performance.md.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import multiprocessing
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eagle.core.fork_client import ADDRESS, INTERRUPT, STREAMS, code_on_disk

if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess

_LATER = (  # what stages import on their way
    "eagle.engine.torch.model",
    "eagle.serving.steer",
    "great_expectations",
    "matplotlib.pyplot",
    "mlflow.pyfunc",
    "peft",
    "transformers.models.bert.modeling_bert",
    "transformers.models.llama.modeling_llama",
)
_LONGEST = 1 << 18  # bytes of a request: mostly the environment and the names of modules


# the flow
# ----------------------------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def running() -> Iterator[None]:
    """Keep a server while the block runs, and name it to child processes; within another such block do nothing."""
    if ADDRESS in os.environ or sys.platform != "linux":
        yield
        return
    with tempfile.TemporaryDirectory(prefix="eagle-", ignore_cleanup_errors=True) as folder:
        address = Path(folder) / "socket"  # in a folder that other users cannot enter
        command = [sys.executable, "-P", __file__, str(address)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            os.environ[ADDRESS] = str(address)
            try:
                yield
            finally:
                del os.environ[ADDRESS]
                if not address.exists():  # still importing
                    process.kill()


# the server
# --------------------------------------------------------------------------------------------------------------------
def _carry_out(arguments: Sequence[str], folder: str, environment: Mapping[str, str], streams: Sequence[int]) -> None:
    """Become the command that asked, in a child: its arguments, folder, environment and output."""
    from eagle.cli import main as command

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for own, theirs in zip(STREAMS, streams, strict=True):
        os.dup2(theirs, own)
    signal.signal(signal.SIGINT, _interrupt_once)
    sys.argv = ["eagle", *arguments]
    command()


def _interrupt_once(number: int, frame: Any) -> None:
    """Ctrl-C reaches a child from the terminal and from its command: the second must not disturb what the first one
    began.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


class _Server:
    """Forks for every command that asks, tells it how that ended, and leaves with the flow that started it."""

    def __init__(self, address: Path) -> None:
        self._address = address
        self._code = code_on_disk()
        self._forks = multiprocessing.get_context("fork")
        _import_all()
        gc.collect()
        gc.freeze()  # or a child that ends walks through all that it shares, and copies it: 2 s
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(address))
        self._listener.listen()
        self._events = selectors.DefaultSelector()
        self._on(self._listener, self._accept)
        self._on(sys.stdin, self._leave)

    def serve(self) -> None:
        """Go on until neither flow nor stage is left. Ctrl-C is for the stages; the flow that gets it too has ended."""
        signal.signal(signal.SIGINT, signal.default_int_handler)
        while self._events.get_map():
            try:
                for key, _ in self._events.select():
                    if key.fileobj in self._events.get_map():
                        key.data()
            except KeyboardInterrupt:
                self._leave()

    def _on(self, source: Any, then: Callable[[], None]) -> None:
        self._events.register(source, selectors.EVENT_READ, then)

    def _leave(self) -> None:
        """The flow has ended: take nothing new."""
        for source in (sys.stdin, self._listener):
            with contextlib.suppress(KeyError, ValueError):  # left before
                self._events.unregister(source)
        self._listener.close()
        shutil.rmtree(self._address.parent, ignore_errors=True)

    def _accept(self) -> None:
        """Begin what a command asks for, unless it has gone or would run other code: then it is told nothing."""
        command, _ = self._listener.accept()
        message, streams, _, _ = socket.recv_fds(command, _LONGEST, len(STREAMS))
        code, *request = json.loads(message or "[null]")
        if code == self._code:
            process = self._forks.Process(target=_carry_out, args=(*request, streams))
            process.start()
            with contextlib.suppress(OSError):  # it has gone since, which its end of the socket tells next
                command.send(b"1")
            self._on(command, partial(self._hear, process, command))
            self._on(process.sentinel, partial(self._tell, process, command))
        else:
            command.close()
        for stream in streams:
            os.close(stream)

    def _hear(self, process: ForkProcess, command: socket.socket) -> None:
        """Pass Ctrl-C on; end a stage whose command is gone, as it would have ended with it."""
        heard = b""
        with contextlib.suppress(OSError):
            heard = command.recv(len(INTERRUPT))
        if heard and process.pid:
            os.kill(process.pid, signal.SIGINT)
        else:
            self._events.unregister(command)
            process.kill()

    def _tell(self, process: ForkProcess, command: socket.socket) -> None:
        """Say how a stage ended."""
        process.join()
        self._events.unregister(process.sentinel)
        with contextlib.suppress(KeyError):
            self._events.unregister(command)
        with contextlib.suppress(OSError):
            command.send(str(process.exitcode).encode())
        command.close()


def _import_all() -> None:
    from eagle.config.stages import STAGES

    for stage in STAGES:
        stage.function()
    for name in _LATER:
        importlib.import_module(name)


def main() -> None:
    """Serve at the address that is the only argument."""
    from eagle.compute.beside import let_threads_sleep
    from eagle.core import telemetry

    telemetry.switch_off()
    let_threads_sleep()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while it imports, it ends at once
    # Python 3.12 warns of threads at a fork. The only ones are those of OpenBLAS, which ends them before a fork by
    # itself.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    _Server(Path(sys.argv[1])).serve()


if __name__ == "__main__":
    main()
