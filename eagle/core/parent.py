"""A stage ends with the ``dvc`` that runs it, also where that is killed: an orphan would go on writing outputs."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading

RUN_BY_DVC = "DVC_ROOT"
"""DVC sets it for the commands of stages."""


def run_by_dvc() -> bool:
    """Whether DVC runs this process as the command of a stage."""
    return RUN_BY_DVC in os.environ


def end_with_parent() -> None:
    """Send this process Ctrl-C's signal when the ``dvc`` that runs it ends.

    Only for what DVC runs, and on Linux: whoever starts a stage by hand may close their shell, and ``nohup`` keeps its
    promise. Between DVC and a stage there may be a shell that outlives a killed DVC, so the parent is not asked.
    """
    dvc = _dvc() if sys.platform == "linux" and run_by_dvc() else None
    if dvc is not None:
        threading.Thread(target=_interrupt_after, args=(os.pidfd_open(dvc),), daemon=True).start()


def _dvc() -> int | None:
    """Return the nearest process above that does not have DVC's variable: DVC itself, which set it; None if unknown."""
    import psutil

    try:
        return next((above.pid for above in psutil.Process().parents() if RUN_BY_DVC not in above.environ()), None)
    except psutil.Error:
        return None


def _interrupt_after(process: int) -> None:
    """Wait for the end of a process, by its file descriptor."""
    waiting = select.poll()
    waiting.register(process, select.POLLIN)
    waiting.poll()
    os.kill(os.getpid(), signal.SIGINT)
