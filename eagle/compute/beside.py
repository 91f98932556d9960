"""Computing beside other programs, for who waits for a single answer: threads that wait should leave the processor.

The threads of an operation wait for one another at its end. By default they spin, for longer than a small operation
takes; where another program has taken one of them from the processor, the others spin until it is back. None of this
changes a number.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


def let_threads_sleep() -> None:
    """Let waiting threads sleep; to be called before the first import of torch, later it does nothing.

    A user's own OMP_WAIT_POLICY wins.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


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
