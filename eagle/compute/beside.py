"""Computing beside other programs: threads that wait for one another should soon leave the processor.

The threads of an operation wait for one another at its end. By default GNU OpenMP lets them spin, for longer than a
small operation takes; where another program has taken one of them from the processor, the others spin until it is back,
and keep it away. Beside one busy program, training took two to eight times as long as alone. After a short spin they
sleep instead, which costs nothing on an idle machine (docs/lab/2026-11-30-busy.md). None of this changes a number.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

SPINS = "GOMP_SPINCOUNT"
"""GNU OpenMP's variable: turns of a thread's waiting loop before it sleeps; 300,000 if not set."""
_FEW = "2000"


def let_threads_sleep() -> None:
    """Let waiting threads sleep soon; to be called before the first import of torch, later it does nothing.

    A user's own GOMP_SPINCOUNT or OMP_WAIT_POLICY wins.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault(SPINS, _FEW)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread: for many operations so small that threads would only wait for one another."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
