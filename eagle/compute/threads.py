"""Jobs side by side in this process, with a share of its threads each.

A pass through a small network is hundreds of small operations one after the other, and threads that share each of them
wait for
one another at every one: with many rows, two jobs of half of them on a thread each end sooner than one job on two
threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event

import torch

Job = Callable[[Event], None]
"""Work that ends early once the event is set: another job has failed, or the user has had enough."""


def side_by_side(jobs: Sequence[Job]) -> None:
    """Do all jobs, as many at a time as torch has threads for. The first failure stops the others and is raised."""
    stopped = Event()
    if len(jobs) == 1:
        jobs[0](stopped)
        return
    threads = torch.get_num_threads()
    together = min(len(jobs), threads)
    try:
        with ThreadPoolExecutor(together, initializer=torch.set_num_threads, initargs=(threads // together,)) as pool:
            try:
                for done in as_completed([pool.submit(job, stopped) for job in jobs]):
                    done.result()
            finally:
                stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
    finally:
        torch.set_num_threads(threads)
