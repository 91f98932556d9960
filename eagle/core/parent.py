"""A stage ends with the ``dvc`` that runs it, also where that is killed: an orphan would go on writing outputs.

Processes are told apart by their number and the time of their start, for a number is used again.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from pathlib import Path

RUN_BY_DVC = "DVC_ROOT"
"""DVC sets it for the commands of stages."""
PIPELINE = "EAGLE_PIPELINE"
"""Names to stages the process, by its identity, that runs the pipeline: a flow, else DVC."""


def run_by_dvc() -> bool:
    """Whether DVC runs this process as the command of a stage."""
    return RUN_BY_DVC in os.environ


def end_with_parent() -> None:
    """Interrupt this process, as Ctrl-C does, when the ``dvc`` that runs it ends.

    What a script starts in the background ignores Ctrl-C's signal; SIGTERM interrupts it then.

    Only for what DVC runs, and on Linux: whoever starts a stage by hand may close their shell, and ``nohup`` keeps its
    promise. Between DVC and a stage there may be a shell that outlives a killed DVC, so the parent is not asked.
    """
    dvc = _dvc() if sys.platform == "linux" and run_by_dvc() else None
    if dvc is None:
        return
    ending = signal.SIGINT
    if signal.getsignal(ending) == signal.SIG_IGN:
        ending = signal.SIGTERM
        signal.signal(ending, signal.default_int_handler)
    threading.Thread(target=_signal_after, args=(os.pidfd_open(dvc), ending), daemon=True).start()


def identity(process: int) -> str | None:
    """Return what tells a process from all others of this machine; None where it has ended, or not on Linux."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = status.rpartition(")")[2].split()
    return None if state in "ZX" else f"{process}-{fields[18]}"  # field 22: clock ticks from boot to start


def lives(known: str) -> bool:
    """Say whether the process with this identity still runs."""
    process = known.partition("-")[0]
    return process.isdecimal() and identity(int(process)) == known


def name_pipeline() -> None:
    """Name the ``dvc`` above as the pipeline's process, where there is one and no flow has named itself."""
    dvc = _dvc() if RUN_BY_DVC in os.environ and PIPELINE not in os.environ else None
    known = identity(dvc) if dvc is not None else None
    if known:
        os.environ[PIPELINE] = known


def _dvc() -> int | None:
    """Return the nearest process above that does not have DVC's variable: DVC itself, which set it; None if unknown."""
    import psutil

    try:
        return next((above.pid for above in psutil.Process().parents() if RUN_BY_DVC not in above.environ()), None)
    except psutil.Error:
        return None


def _signal_after(process: int, ending: signal.Signals) -> None:
    """Wait for the end of a process, by its file descriptor, and then send this one the signal."""
    waiting = select.poll()
    waiting.register(process, select.POLLIN)
    waiting.poll()
    os.kill(os.getpid(), ending)
