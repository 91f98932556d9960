"""A stage ends with the ``dvc`` that runs it, also where that is killed: an orphan would go on writing outputs."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

RUN_BY_DVC = "DVC_ROOT"
"""DVC sets it for the commands of stages."""
_PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>


def end_with_parent() -> None:
    """Ask the kernel for Ctrl-C's signal when the process that started this one ends.

    Only for what DVC runs, and on Linux: whoever starts a stage by hand may close their shell, and ``nohup`` keeps its
    promise.
    """
    if sys.platform != "linux" or RUN_BY_DVC not in os.environ:
        return
    before = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != before:  # it ended before the kernel was asked
        os.kill(os.getpid(), signal.SIGINT)
